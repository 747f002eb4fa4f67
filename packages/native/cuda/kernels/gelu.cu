// Gelu and its slope (cc/fused/gelu.cc).
#include "../../cc/kernel.h"
#include "../launch.h"

namespace mm::cuda {

constexpr float slope = 0.7978845608f, cubic = 0.044715f;

MM_DEVICE float tanhOf(float x) { return tanhf(slope * x * (1 + cubic * x * x)); }

__global__ void geluKernel(const float* x, float* y, int64_t count) {
  forThread(count, [&](int64_t i) { y[i] = 0.5f * x[i] * (1 + tanhOf(x[i])); });
}
static void gelu(const float* x, float* y, int64_t count) {
  launch(geluKernel, blocksFor(count), dim3(blockThreads), 0, x, y, count);
}
MM_KERNEL(gelu)

__global__ void geluGradKernel(const float* x, const float* dy, float* dx, int64_t count) {
  forThread(count, [&](int64_t i) {
    const float v = x[i], t = tanhOf(v);
    // Beyond |x| = 10 the slope of tanh is 0, also where x² overflows.
    const float bend = fabsf(v) < 10 ? 0.5f * v * (1 - t * t) * slope * (1 + 3 * cubic * v * v) : 0;
    dx[i] = dy[i] * (0.5f * (1 + t) + bend);
  });
}
static void geluGrad(const float* x, const float* dy, float* dx, int64_t count) {
  launch(geluGradKernel, blocksFor(count), dim3(blockThreads), 0, x, dy, dx, count);
}
MM_KERNEL(geluGrad)

}  // namespace mm::cuda
