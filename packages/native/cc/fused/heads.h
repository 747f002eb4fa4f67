// What the key and value extractors share: the scaled unit vector of one head, work on the heads of a sequence token by
// token, and sums over the sequences.
#pragma once
#include "../simd.h"
#include "../threads.h"

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

/** x/‖x‖ without a division for every number: `up` keeps the inverse of very small and very large norms in range. */
struct UnitVector {
  float up, inverse;
  explicit UnitVector(float norm)
      : up(norm < 1e-18f ? 0x1p60f : norm > 1e18f ? 0x1p-60f : 1), inverse(norm == 0 ? 0 : 1 / (norm * up)) {}
  MM_INLINE Floats operator()(Floats x) const { return x * up * inverse; }
};

/** y = scale · x/‖x‖, 0 for the zero vector; gives ‖x‖. */
inline float writeScaledUnit(const float* x, int64_t width, float scale, float* y) {
  const float norm = vectorNorm(x, width);
  const UnitVector unit(norm);
  for (int64_t c = 0; c < width; c += lanes) storeFirst(y + c, unit(loadFirst(x + c, width - c)) * scale, width - c);
  return norm;
}

/**
 * Gradient of writeScaledUnit: dx = scale/‖x‖ (dy - x̂ (x̂·dy)/(x̂·x̂)) with x̂ = x/‖x‖; gives d scale = x̂·dy. The rounded
 * length of x̂ is not quite 1: dividing by its square keeps dx at right angles to it, however large dy is.
 */
inline float scaledUnitGradient(const float* x, int64_t width, float norm, float scale, const float* dy, float* dx) {
  const UnitVector unit(norm);
  Floats products = {}, squares = {};
  for (int64_t c = 0; c < width; c += lanes) {
    const Floats u = unit(loadFirst(x + c, width - c));
    products = fma(u, loadFirst(dy + c, width - c), products);
    squares = fma(u, u, squares);
  }
  const float along = sum(products), squared = sum(squares), part = squared > 0 ? along / squared : 0;
  for (int64_t c = 0; c < width; c += lanes) {
    const Floats across = loadFirst(dy + c, width - c) - unit(loadFirst(x + c, width - c)) * part;
    storeFirst(dx + c, unit(across) * scale, width - c);
  }
  return along;
}

/** Heads first … end - 1. */
struct Heads {
  int64_t first, end;
  int64_t count() const { return end - first; }
};

/**
 * Calls body(b, heads, thread) for each sequence and some of its heads: for all of them, whose rows are then read as they
 * lie in memory, where that makes enough tasks. What is computed for a head does not depend on its company.
 */
template <class Body>
void forHeads(int64_t batch, int64_t heads, Body&& body) {
  const int64_t wanted = 4 * threadCount(), parts = std::clamp<int64_t>((wanted + batch - 1) / batch, 1, heads);
  parallelFor(batch * parts, [&](int64_t task, int thread) {
    const int64_t part = task % parts;
    body(task / parts, Heads{heads * part / parts, heads * (part + 1) / parts}, thread);
  });
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
