// PeekValues (cc/fused/peek-values.cc): v_t = scale · v̄_t/‖v̄_t‖ with v̄_t = mix·w_t + (1 - mix)·w_{t+shift}, w = 0 beyond
// the end; one warp for each head of each token.
#include "../heads.h"

namespace mm::cuda {

struct PeekShape {
  int64_t shift, batch, time, heads, width;
  int64_t rows() const { return batch * time * heads; }
  /** The mixture v̄ of row (token, head). */
  template <int PerLane>
  MM_DEVICE HeadVector<PerLane> mixture(const float* w, const float* mix, int64_t row) const {
    const float present = mix[row % heads];
    const float* at = w + row * width;
    const bool hasLater = row / heads % time + shift < time;
    HeadVector<PerLane> mixed;
    mixed.read(static_cast<int>(width), [&](int c) {
      return present * at[c] + (hasLater ? (1 - present) * at[shift * heads * width + c] : 0);
    });
    return mixed;
  }
};

template <int PerLane>
__global__ void peekValuesKernel(const float* w, const float* mix, const float* scale, float* values, float* norm,
                                 PeekShape shape) {
  forWarp(shape.batch * shape.time * shape.heads, [&](int64_t row) {
    HeadVector<PerLane> v = shape.mixture<PerLane>(w, mix, row);
    const float length = v.norm(), by = scale[row % shape.heads];
    v.divideBy(length);
    v.write(static_cast<int>(shape.width), [&](int c, float x) { values[row * shape.width + c] = x * by; });
    if (laneOfWarp() == 0) norm[row] = length;
  });
}
static void peekValues(const float* w, const float* mix, const float* scale, float* values, float* norm, int64_t shift,
                       int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const PeekShape shape{shift, batch, time, heads, width};
  withHeadWidth(width, [&]<int PerLane>() {
    launch(peekValuesKernel<PerLane>, warpBlocksFor(shape.rows()), dim3(blockThreads), 0, w, mix, scale, values, norm, shape);
  });
}
MM_KERNEL(peekValues)

/** dv̄ of each token, and per token and head what it adds to the gradients of scale and mix. */
template <int PerLane>
__global__ void peekMixtureGrad(const float* w, const float* mix, const float* scale, const float* norm, const float* dy,
                                float* mixtureGradient, float* mixParts, float* scaleParts, PeekShape shape) {
  forWarp(shape.batch * shape.time * shape.heads, [&](int64_t row) {
    const int width = static_cast<int>(shape.width);
    const float* at = w + row * shape.width;
    const bool hasLater = row / shape.heads % shape.time + shape.shift < shape.time;
    HeadVector<PerLane> unit = shape.mixture<PerLane>(w, mix, row), gradient, difference;
    unit.divideBy(norm[row]);
    gradient.read(width, [&](int c) { return dy[row * shape.width + c]; });
    const float along = scaledUnitGradient(unit, norm[row], scale[row % shape.heads], gradient);
    difference.read(width, [&](int c) { return at[c] - (hasLater ? at[shape.shift * shape.heads * shape.width + c] : 0); });
    const float ahead = gradient.dot(difference);
    gradient.write(width, [&](int c, float x) { mixtureGradient[row * shape.width + c] = x; });
    if (laneOfWarp() == 0) {
      scaleParts[row] = along;
      mixParts[row] = ahead;
    }
  });
}
/** dw_t = mix·dv̄_t + (1 - mix)·dv̄_{t-shift} */
__global__ void peekInputGrad(const float* mixtureGradient, const float* mix, float* dw, PeekShape shape) {
  const int64_t stride = shape.heads * shape.width;
  forThread(shape.batch * shape.time * stride, [&](int64_t i) {
    const float present = mix[i / shape.width % shape.heads];
    const bool hasEarlier = i / stride % shape.time >= shape.shift;
    dw[i] = present * mixtureGradient[i] + (hasEarlier ? (1 - present) * mixtureGradient[i - shape.shift * stride] : 0);
  });
}
static void peekValuesGrad(const float* w, const float* mix, const float* scale, const float* norm, const float* dy,
                           float* dw, float* dMix, float* dScale, int64_t shift, int64_t batch, int64_t time,
                           int64_t heads, int64_t width) {
  const PeekShape shape{shift, batch, time, heads, width};
  DeviceScratch<> gradients(shape.rows() * width), mixParts(shape.rows()), scaleParts(shape.rows());
  withHeadWidth(width, [&]<int PerLane>() {
    launch(peekMixtureGrad<PerLane>, warpBlocksFor(shape.rows()), dim3(blockThreads), 0, w, mix, scale, norm, dy, gradients,
           mixParts, scaleParts, shape);
  });
  launch(peekInputGrad, blocksFor(shape.rows() * width), dim3(blockThreads), 0, gradients, mix, dw, shape);
  sumRows(MatrixTerm{mixParts, heads}, dMix, batch * time, heads);
  sumRows(MatrixTerm{scaleParts, heads}, dScale, batch * time, heads);
}
MM_KERNEL(peekValuesGrad)

}  // namespace mm::cuda
