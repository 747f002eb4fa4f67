// ScaleHeads (cc/fused/scale-heads.cc): y = scale_h · x on each head's part of the rows.
#include "../heads.h"

namespace mm::cuda {

__global__ void scaleHeadsKernel(const float* x, const float* scale, float* y, int64_t count, int64_t heads,
                                 int64_t width) {
  forThread(count, [&](int64_t i) { y[i] = x[i] * scale[i / width % heads]; });
}
static void scaleHeads(const float* x, const float* scale, float* y, int64_t rows, int64_t heads, int64_t width) {
  const int64_t count = rows * heads * width;
  launch(scaleHeadsKernel, blocksFor(count), dim3(blockThreads), 0, x, scale, y, count, heads, width);
}
MM_KERNEL(scaleHeads)

/** x·dy, seen as [rows·width][heads]. */
struct ScaleTerm {
  HeadTerm x, dy;
  MM_DEVICE float operator()(int64_t row, int64_t head) const { return x(row, head) * dy(row, head); }
};
static void scaleHeadsGrad(const float* x, const float* scale, const float* dy, float* dx, float* dScale, int64_t rows,
                           int64_t heads, int64_t width) {
  scaleHeads(dy, scale, dx, rows, heads, width);
  sumRows(ScaleTerm{{x, heads, width}, {dy, heads, width}}, dScale, rows * width, heads);
}
MM_KERNEL(scaleHeadsGrad)

}  // namespace mm::cuda
