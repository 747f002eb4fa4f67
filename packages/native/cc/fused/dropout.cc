// Dropout and DropoutAdd: residual + x · mask / (1 - rate), the mask drawn anew from its key wherever it is needed.
#include <cstring>

#include "../kernel.h"
#include "../philox.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

typedef uint16_t Halves __attribute__((vector_size(MM_LANES * 2), aligned(2), may_alias));

/** Columns that one vector of counters draws for: lane i for columns 8i … 8i + 7 of a row. */
constexpr int64_t stretch = 8 * lanes;

/** Random halves in the order of the columns: of each counter its four words, of each word the low half first. */
MM_INLINE void writeHalves(const PhiloxBlock& block, uint16_t* halves) {
  const auto word = [&](int i) { return (Floats)block.word[i]; };
  const Floats low01 = shuffle<detail::InterleaveSingles<0>>(word(0), word(1));
  const Floats high01 = shuffle<detail::InterleaveSingles<1>>(word(0), word(1));
  const Floats low23 = shuffle<detail::InterleaveSingles<0>>(word(2), word(3));
  const Floats high23 = shuffle<detail::InterleaveSingles<1>>(word(2), word(3));
  // Four lanes of counters[j] hold the words of counter 4b + j in block b.
  const Floats counters[4] = {
      shuffle<detail::InterleavePairs<0>>(low01, low23), shuffle<detail::InterleavePairs<1>>(low01, low23),
      shuffle<detail::InterleavePairs<0>>(high01, high23), shuffle<detail::InterleavePairs<1>>(high01, high23)};
  MM_UNROLL for (int j = 0; j < 4; j++) {
    MM_UNROLL for (int b = 0; b < lanes / 4; b++)
      std::memcpy(halves + 8 * (4 * b + j), reinterpret_cast<const char*>(&counters[j]) + 16 * b, 16);
  }
}

/** y = x · mask · scale (+ residual), row by row; residual may be null. */
void dropRows(const float* residual, const float* x, float* y, int64_t columns, DropoutMask mask, int64_t begin,
              int64_t end) {
  const float scale = mask.scale();
  uint16_t halves[stretch];
  for (int64_t row = begin; row < end; row++) {
    for (int64_t column = 0; column < columns; column += stretch) {
      const Words counter = (Words)(laneIndex() + static_cast<int32_t>(column / 8));
      writeHalves(mask.block(counter, splat(static_cast<uint32_t>(row))), halves);
      const int64_t count = std::min(stretch, columns - column), at = row * columns + column;
      for (int64_t i = 0; i < count; i += lanes) {
        const Ints half = __builtin_convertvector(*reinterpret_cast<const Halves*>(halves + i), Ints);
        Floats v = loadFirst(x + at + i, count - i) * scale;
        v = keep(half >= static_cast<int32_t>(mask.threshold), v);
        if (residual != nullptr) v += loadFirst(residual + at + i, count - i);
        storeFirst(y + at + i, v, count - i);
      }
    }
  }
}

}  // namespace

/** Without a residual (null) this is Dropout; with a threshold of 0, where nothing is dropped, only the sum. */
static void dropoutAdd(const float* residual, const float* x, float* y, int64_t rows, int64_t columns, uint32_t key0,
                       uint32_t key1, uint32_t threshold) {
  if (threshold == 0) {
    parallelRanges(rows * columns, elementwiseGrain, [&](int64_t begin, int64_t end, int) {
      if (residual == nullptr) std::memcpy(y + begin, x + begin, (end - begin) * sizeof(float));
      else for (int64_t i = begin; i < end; i++) y[i] = residual[i] + x[i];
    });
    return;
  }
  const DropoutMask mask{key0, key1, threshold};
  parallelRanges(rows, rowGrain(columns),
                 [&](int64_t begin, int64_t end, int) { dropRows(residual, x, y, columns, mask, begin, end); });
}
MM_KERNEL(dropoutAdd)

}  // namespace mm::MM_ISA
