// ScaleHeads: y = scale_h · x on each head's part of the rows.
#include "../kernel.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
static void scaleHeads(const float* x, const float* scale, float* y, int64_t rows, int64_t heads, int64_t width) {
  const int64_t columns = heads * width;
  parallelRanges(rows, rowGrain(columns), [&](int64_t begin, int64_t end, int) {
    for (int64_t part = begin * heads; part < end * heads; part++)
      for (int64_t c = 0; c < width; c += lanes)
        storeFirst(y + part * width + c, loadFirst(x + part * width + c, width - c) * scale[part % heads], width - c);
  });
}
MM_KERNEL(scaleHeads)

static void scaleHeadsGrad(const float* x, const float* scale, const float* dy, float* dx, float* dScale, int64_t rows,
                           int64_t heads, int64_t width) {
  sumRowBlocks(rows, heads * width, heads, dScale, [&](int64_t begin, int64_t end, float* sums) {
    for (int64_t row = begin; row < end; row++) {
      for (int64_t h = 0; h < heads; h++) {
        const int64_t at = (row * heads + h) * width;
        Floats products = {};
        for (int64_t c = 0; c < width; c += lanes) {
          const Floats gradient = loadFirst(dy + at + c, width - c);
          products = fma(gradient, loadFirst(x + at + c, width - c), products);
          storeFirst(dx + at + c, gradient * scale[h], width - c);
        }
        sums[h] += sum(products);
      }
    }
  });
}
MM_KERNEL(scaleHeadsGrad)

}  // namespace mm::MM_ISA
