// LayerNorm: y = (x - mean)·r·weight + bias with r = 1/√(variance + ε), over rows.
//
// Gradient with x̂ = (x - mean)·r and e = dy·weight: dx = r (e - mean(e) - x̂ mean(e·x̂)), dweight = Σ dy·x̂, dbias = Σ dy.
#include "../kernel.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
static void layerNorm(const float* x, const float* weight, const float* bias, float* y, float* means,
                      float* inverseDeviations, int64_t rows, int64_t columns, float epsilon) {
  parallelRanges(rows, rowGrain(columns), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const float* from = x + row * columns;
      float* to = y + row * columns;
      Floats total = {};
      for (int64_t c = 0; c < columns; c += lanes) total += loadFirst(from + c, columns - c);
      const float mean = sum(total) / static_cast<float>(columns);
      // In a second pass, because a mean of squares loses the variance of numbers far from zero.
      Floats squares = {};
      for (int64_t c = 0; c < columns; c += lanes) {
        const Floats centred = loadFirst(from + c, columns - c) - mean;
        squares = fma(centred, columns - c < lanes ? keep(firstLanes(columns - c), centred) : centred, squares);
      }
      const float variance = sum(squares) / static_cast<float>(columns);
      const float inverse = 1 / __builtin_sqrtf(variance + epsilon);
      for (int64_t c = 0; c < columns; c += lanes) {
        const int64_t left = columns - c;
        Floats v = (loadFirst(from + c, left) - mean) * inverse * loadFirst(weight + c, left);
        if (bias != nullptr) v += loadFirst(bias + c, left);
        storeFirst(to + c, v, left);
      }
      means[row] = mean;
      inverseDeviations[row] = inverse;
    }
  });
}
MM_KERNEL(layerNorm)

static void layerNormGrad(const float* x, const float* weight, const float* means, const float* inverseDeviations,
                          const float* dy, float* dx, float* dWeight, float* dBias, int64_t rows, int64_t columns) {
  Scratch shared(0);
  float* totals = shared.floats(2 * columns);
  sumRowBlocks(rows, columns, 2 * columns, totals, [&](int64_t begin, int64_t end, float* sums) {
    for (int64_t row = begin; row < end; row++) {
      const float* from = x + row * columns;
      const float* gradient = dy + row * columns;
      float* to = dx + row * columns;
      const float mean = means[row], inverse = inverseDeviations[row];
      Floats total = {}, products = {};
      for (int64_t c = 0; c < columns; c += lanes) {
        const int64_t left = columns - c;
        const Floats g = loadFirst(gradient + c, left);  // zeros beyond the row, so what x̂ is there does not matter
        const Floats unit = (loadFirst(from + c, left) - mean) * inverse;
        const Floats e = g * loadFirst(weight + c, left);
        total += e;
        products = fma(e, unit, products);
        storeFirst(sums + c, fma(g, unit, loadFirst(sums + c, left)), left);
        storeFirst(sums + columns + c, g + loadFirst(sums + columns + c, left), left);
      }
      const float meanE = sum(total) / static_cast<float>(columns);
      const float meanProduct = sum(products) / static_cast<float>(columns);
      for (int64_t c = 0; c < columns; c += lanes) {
        const int64_t left = columns - c;
        const Floats unit = (loadFirst(from + c, left) - mean) * inverse;
        const Floats e = loadFirst(gradient + c, left) * loadFirst(weight + c, left);
        storeFirst(to + c, inverse * (e - meanE - unit * meanProduct), left);
      }
    }
  });
  std::memcpy(dWeight, totals, columns * sizeof(float));
  if (dBias != nullptr) std::memcpy(dBias, totals + columns, columns * sizeof(float));
}
MM_KERNEL(layerNormGrad)

}  // namespace mm::MM_ISA
