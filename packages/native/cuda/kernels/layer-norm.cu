// LayerNorm (cc/fused/layer-norm.cc), one warp for each row; sums of weight and bias gradients over the rows apart.
#include "../../cc/kernel.h"
#include "../rows.h"

namespace mm::cuda {

__global__ void layerNormKernel(const float* x, const float* weight, const float* bias, float* y, float* means,
                                float* inverseDeviations, int64_t rows, int64_t columns, float epsilon) {
  forWarp(rows, [&](int64_t row) {
    const float* from = x + row * columns;
    float total = 0;
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes) total += from[c];
    const float mean = sumOverWarp(total) / static_cast<float>(columns);
    // In a second pass, because a mean of squares loses the variance of numbers far from zero.
    float squares = 0;
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes) squares += (from[c] - mean) * (from[c] - mean);
    const float inverse = 1 / sqrtf(sumOverWarp(squares) / static_cast<float>(columns) + epsilon);
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes)
      y[row * columns + c] = (from[c] - mean) * inverse * weight[c] + (bias == nullptr ? 0 : bias[c]);
    if (laneOfWarp() == 0) {
      means[row] = mean;
      inverseDeviations[row] = inverse;
    }
  });
}
static void layerNorm(const float* x, const float* weight, const float* bias, float* y, float* means,
                      float* inverseDeviations, int64_t rows, int64_t columns, float epsilon) {
  launch(layerNormKernel, warpBlocksFor(rows), dim3(blockThreads), 0, x, weight, bias, y, means, inverseDeviations, rows,
         columns, epsilon);
}
MM_KERNEL(layerNorm)

/** dx = r (e - mean(e) - x̂ mean(e·x̂)) with e = dy·weight */
__global__ void layerNormGradKernel(const float* x, const float* weight, const float* means,
                                    const float* inverseDeviations, const float* dy, float* dx, int64_t rows,
                                    int64_t columns) {
  forWarp(rows, [&](int64_t row) {
    const float *from = x + row * columns, *gradient = dy + row * columns;
    const float mean = means[row], inverse = inverseDeviations[row];
    float total = 0, products = 0;
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes) {
      const float e = gradient[c] * weight[c];
      total += e;
      products += e * (from[c] - mean) * inverse;
    }
    const float meanE = sumOverWarp(total) / static_cast<float>(columns);
    const float meanProduct = sumOverWarp(products) / static_cast<float>(columns);
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes) {
      const float unit = (from[c] - mean) * inverse;
      dx[row * columns + c] = inverse * (gradient[c] * weight[c] - meanE - unit * meanProduct);
    }
  });
}
/** dy·x̂ */
struct WeightTerm {
  const float *x, *dy, *means, *inverseDeviations;
  int64_t columns;
  MM_DEVICE float operator()(int64_t row, int64_t column) const {
    const int64_t at = row * columns + column;
    return dy[at] * (x[at] - means[row]) * inverseDeviations[row];
  }
};
static void layerNormGrad(const float* x, const float* weight, const float* means, const float* inverseDeviations,
                          const float* dy, float* dx, float* dWeight, float* dBias, int64_t rows, int64_t columns) {
  launch(layerNormGradKernel, warpBlocksFor(rows), dim3(blockThreads), 0, x, weight, means, inverseDeviations, dy, dx, rows,
         columns);
  sumRows(WeightTerm{x, dy, means, inverseDeviations, columns}, dWeight, rows, columns);
  if (dBias != nullptr) sumRows(MatrixTerm{dy, columns}, dBias, rows, columns);
}
MM_KERNEL(layerNormGrad)

}  // namespace mm::cuda
