// What the key and value extractors share: the scaled unit vector of one head, and sums over the sequences.
#pragma once
#include "../simd.h"

namespace mm::MM_ISA {

/** ‖x‖, safe from overflow and underflow of the squares (a plain sum of squares where that is safe). */
inline float vectorNorm(const float* x, int64_t width) {
  Floats squares = {};
  for (int64_t c = 0; c < width; c += lanes) {
    const Floats v = loadFirst(x + c, width - c);
    squares = fma(v, v, squares);
  }
  const float total = sum(squares);
  if (total > 1e-30f && total < 1e38f) return __builtin_sqrtf(total);
  double exact = 0;
  for (int64_t c = 0; c < width; c++) exact += static_cast<double>(x[c]) * x[c];
  return static_cast<float>(__builtin_sqrt(exact));
}

/** y = scale · x/‖x‖, 0 for the zero vector; gives ‖x‖. */
inline float writeScaledUnit(const float* x, int64_t width, float scale, float* y) {
  const float norm = vectorNorm(x, width);
  const float divisor = norm == 0 ? 1 : norm;
  for (int64_t c = 0; c < width; c += lanes) storeFirst(y + c, loadFirst(x + c, width - c) / divisor * scale, width - c);
  return norm;
}

/** Gradient of writeScaledUnit: dx = scale/‖x‖ (dy - x̂ (x̂·dy)) with x̂ = x/‖x‖; gives d scale = x̂·dy. */
inline double scaledUnitGradient(const float* x, int64_t width, float norm, float scale, const float* dy, float* dx) {
  const float divisor = norm == 0 ? 1 : norm, factor = norm == 0 ? 0 : scale;
  Floats products = {};
  for (int64_t c = 0; c < width; c += lanes)
    products = fma(loadFirst(x + c, width - c) / divisor, loadFirst(dy + c, width - c), products);
  const float along = sum(products);
  for (int64_t c = 0; c < width; c += lanes) {
    const Floats unit = loadFirst(x + c, width - c) / divisor;
    const Floats across = loadFirst(dy + c, width - c) - unit * along;
    storeFirst(dx + c, across * factor / divisor, width - c);
  }
  return along;
}

/** total[h] = Σ_b parts[b][h], in order. */
inline void sumHeads(const double* parts, int64_t batch, int64_t heads, float* total) {
  for (int64_t h = 0; h < heads; h++) {
    double all = 0;
    for (int64_t b = 0; b < batch; b++) all += parts[b * heads + h];
    total[h] = static_cast<float>(all);
  }
}

}  // namespace mm::MM_ISA
