// ScaleHeads: y = scale_h · x on each head's part of the rows.
#include "../kernel.h"
#include "heads.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

void scaleRow(const float* x, const float* scale, float* y, int64_t columns) {
  forVectors(columns, [=](int64_t c, auto count) {
    storeFirst(y + c, loadFirst(x + c, count) * loadFirst(scale + c, count), count);
  });
}

/** dx of one row, which adds dy·x to the sums of each feature. */
void differentiate(const float* x, const float* scale, const float* dy, float* dx, float* sums, int64_t columns) {
  forVectors(columns, [=](int64_t c, auto count) {
    const Floats gradient = loadFirst(dy + c, count);
    storeFirst(dx + c, gradient * loadFirst(scale + c, count), count);
    storeFirst(sums + c, fma(gradient, loadFirst(x + c, count), loadFirst(sums + c, count)), count);
  });
}

}  // namespace

static void scaleHeads(const float* x, const float* scale, float* y, int64_t rows, int64_t heads, int64_t width) {
  const int64_t columns = heads * width;
  Scratch shared(0);
  const float* scales = perFeature({0, heads, heads}, width, shared, [&](int64_t h) { return scale[h]; });
  parallelRanges(rows, rowGrain(columns), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) scaleRow(x + row * columns, scales, y + row * columns, columns);
  });
}
MM_KERNEL(scaleHeads)

static void scaleHeadsGrad(const float* x, const float* scale, const float* dy, float* dx, float* dScale, int64_t rows,
                           int64_t heads, int64_t width) {
  const int64_t columns = heads * width;
  const Heads all{0, heads, heads};
  Scratch shared(0);
  const float* scales = perFeature(all, width, shared, [&](int64_t h) { return scale[h]; });
  float* featureSums = shared.floats(columns);
  double* headSums = zeros<double>(heads, shared);
  sumRowBlocks(rows, columns, columns, featureSums, [&](int64_t begin, int64_t end, float* sums) {
    for (int64_t row = begin; row < end; row++)
      differentiate(x + row * columns, scales, dy + row * columns, dx + row * columns, sums, columns);
  });
  addFeatureSums(featureSums, all, width, headSums);
  std::copy_n(headSums, heads, dScale);
}
MM_KERNEL(scaleHeadsGrad)

}  // namespace mm::MM_ISA
