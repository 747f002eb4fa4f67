// Dropout and DropoutAdd (cc/fused/dropout.cc): a thread draws once for eight columns of a row.
#include "../../cc/kernel.h"
#include "../launch.h"
#include "../philox.h"

namespace mm::cuda {

__global__ void dropoutAddKernel(const float* residual, const float* x, float* y, int64_t rows, int64_t columns,
                                 DropoutMask mask) {
  const int64_t blocks = (columns + 7) / 8;
  const float scale = mask.scale();
  forThread(rows * blocks, [&](int64_t i) {
    const int64_t row = i / blocks, block = i % blocks;
    const PhiloxBlock bits = mask.block(static_cast<uint32_t>(block), static_cast<uint32_t>(row));
#pragma unroll
    for (int offset = 0; offset < 8; offset++) {
      const int64_t column = 8 * block + offset, at = row * columns + column;
      if (column >= columns) break;
      const float kept = mask.keeps(bits, offset) ? x[at] * scale : 0;
      y[at] = residual == nullptr ? kept : kept + residual[at];
    }
  });
}
/** Without a residual (null) this is Dropout. */
static void dropoutAdd(const float* residual, const float* x, float* y, int64_t rows, int64_t columns, uint32_t key0,
                       uint32_t key1, uint32_t threshold) {
  launch(dropoutAddKernel, blocksFor(rows * divideUp(columns, 8)), dim3(blockThreads), 0, residual, x, y, rows, columns,
         DropoutMask{key0, key1, threshold});
}
MM_KERNEL(dropoutAdd)

}  // namespace mm::cuda
