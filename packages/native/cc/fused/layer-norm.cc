// LayerNorm: y = (x - mean)·r·weight + bias with r = 1/√(variance + ε), over rows.
//
// Gradient with x̂ = (x - mean)·r and e = dy·weight: dx = r (e - mean(e) - x̂ mean(e·x̂)), dweight = Σ dy·x̂, dbias = Σ dy.
#include "../kernel.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

struct Moments {
  float mean, inverseDeviation;
};

/** One row; gives its moments. */
Moments normalise(const float* x, const float* weight, const float* bias, float* y, int64_t columns, float epsilon) {
  const float size = static_cast<float>(columns);
  Floats total = {}, squares = {};
  forVectors(columns, [&](int64_t c, auto count) { total += loadFirst(x + c, count); });
  const float mean = sum(total) / size;
  // In a second pass, because a mean of squares loses the variance of numbers far from zero.
  forVectors(columns, [&](int64_t c, auto count) {
    const Floats centred = keep(firstLanes(count), loadFirst(x + c, count) - mean);
    squares = fma(centred, centred, squares);
  });
  const float inverse = 1 / __builtin_sqrtf(sum(squares) / size + epsilon);
  forVectors(columns, [&](int64_t c, auto count) {
    Floats v = (loadFirst(x + c, count) - mean) * inverse * loadFirst(weight + c, count);
    if (bias != nullptr) v += loadFirst(bias + c, count);
    storeFirst(y + c, v, count);
  });
  return {mean, inverse};
}

/** dx of one row, which adds to the sums of dweight and dbias. */
void differentiate(const float* x, const float* weight, Moments of, const float* dy, float* dx, float* weightSums,
                   float* biasSums, int64_t columns) {
  const float size = static_cast<float>(columns);
  const auto unitOf = [&](int64_t c, auto count) { return (loadFirst(x + c, count) - of.mean) * of.inverseDeviation; };
  Floats total = {}, products = {};
  forVectors(columns, [&](int64_t c, auto count) {
    const Floats g = loadFirst(dy + c, count);  // zeros beyond the row, so what x̂ is there does not matter
    const Floats unit = unitOf(c, count);
    const Floats e = g * loadFirst(weight + c, count);
    total += e;
    products = fma(e, unit, products);
    storeFirst(weightSums + c, fma(g, unit, loadFirst(weightSums + c, count)), count);
    storeFirst(biasSums + c, g + loadFirst(biasSums + c, count), count);
  });
  const float meanE = sum(total) / size, meanProduct = sum(products) / size;
  forVectors(columns, [&](int64_t c, auto count) {
    const Floats e = loadFirst(dy + c, count) * loadFirst(weight + c, count);
    storeFirst(dx + c, of.inverseDeviation * (e - meanE - unitOf(c, count) * meanProduct), count);
  });
}

}  // namespace

static void layerNorm(const float* x, const float* weight, const float* bias, float* y, float* means,
                      float* inverseDeviations, int64_t rows, int64_t columns, float epsilon) {
  parallelRanges(rows, rowGrain(columns), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const Moments moments = normalise(x + row * columns, weight, bias, y + row * columns, columns, epsilon);
      means[row] = moments.mean;
      inverseDeviations[row] = moments.inverseDeviation;
    }
  });
}
MM_KERNEL(layerNorm)

static void layerNormGrad(const float* x, const float* weight, const float* means, const float* inverseDeviations,
                          const float* dy, float* dx, float* dWeight, float* dBias, int64_t rows, int64_t columns) {
  Scratch shared(0);
  float* totals = shared.floats(2 * columns);
  sumRowBlocks(rows, columns, 2 * columns, totals, [&](int64_t begin, int64_t end, float* sums) {
    for (int64_t row = begin; row < end; row++)
      differentiate(x + row * columns, weight, {means[row], inverseDeviations[row]}, dy + row * columns,
                    dx + row * columns, sums, sums + columns, columns);
  });
  std::memcpy(dWeight, totals, columns * sizeof(float));
  if (dBias != nullptr) std::memcpy(dBias, totals + columns, columns * sizeof(float));
}
MM_KERNEL(layerNormGrad)

}  // namespace mm::MM_ISA
