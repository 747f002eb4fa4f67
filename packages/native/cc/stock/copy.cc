// Moving elements: transpose, slice, concatenation, padding, tiling, reversal, … are all copies between two strided views.
#include <cstring>

#include "../kernel.h"
#include "../threads.h"
#include "../vector-math.h"

namespace mm::MM_ISA {

/** One row of a copy between strided views. */
template <class T>
MM_INLINE void copyRow(const T* from, int64_t fromStep, T* to, int64_t toStep, int64_t count) {
  if (fromStep == 1 && toStep == 1) std::memcpy(to, from, count * sizeof(T));
  else if (fromStep == 0 && toStep == 1) std::fill(to, to + count, *from);
  else for (int64_t i = 0; i < count; i++) to[i * toStep] = from[i * fromStep];
}

/** The block to[j][i] = from[i][j] where the rows of each lie along its memory. */
static void transposeBlock(const float* from, int64_t fromRow, float* to, int64_t toRow, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i += lanes)
    for (int64_t j = 0; j < columns; j += lanes) {
      Floats square[lanes];
      for (int r = 0; r < lanes; r++)
        square[r] = i + r < rows ? loadFirst(from + (i + r) * fromRow + j, columns - j) : Floats{};
      transpose(square);
      for (int r = 0; r < lanes && j + r < columns; r++) storeFirst(to + (j + r) * toRow + i, square[r], rows - i);
    }
}

/**
 * to[view] = from[view] for two views of one shape. `layout` holds `rank` numbers each: shape, strides of `from`, strides
 * of `to`, in elements; strides may be 0 or negative, and the pointers are at the views' first elements.
 */
template <class T>
MM_INLINE void copyViews(const T* from, T* to, const int32_t* layout, int64_t rank) {
  const int32_t *shape = layout, *fromStrides = layout + rank, *toStrides = layout + 2 * rank;
  struct Place {
    int64_t from, to;
  };
  const auto place = [&](int64_t index, int64_t axes) {
    Place at{0, 0};
    for (int64_t axis = axes - 1; axis >= 0; axis--) {
      const int64_t coordinate = index % shape[axis];
      index /= shape[axis];
      at.from += coordinate * fromStrides[axis];
      at.to += coordinate * toStrides[axis];
    }
    return at;
  };
  const auto outerCount = [&](int64_t axes) {
    int64_t count = 1;
    for (int64_t axis = 0; axis < axes; axis++) count *= shape[axis];
    return count;
  };
  const int64_t inner = shape[rank - 1];
  if constexpr (sizeof(T) == 4) {
    // The last two axes are transposed: square blocks, so that both sides use whole cache lines.
    if (rank >= 2 && toStrides[rank - 1] == 1 && fromStrides[rank - 2] == 1 && fromStrides[rank - 1] > 1) {
      const int64_t rows = inner, columns = shape[rank - 2];
      constexpr int64_t block = 64;
      const int64_t down = (columns + block - 1) / block, across = (rows + block - 1) / block;
      parallelFor(outerCount(rank - 2) * down * across, [&](int64_t task, int) {
        const Place at = place(task / (down * across), rank - 2);
        const int64_t j = task / across % down * block, i = task % across * block;
        transposeBlock(reinterpret_cast<const float*>(from) + at.from + i * fromStrides[rank - 1] + j, fromStrides[rank - 1],
                       reinterpret_cast<float*>(to) + at.to + j * toStrides[rank - 2] + i, toStrides[rank - 2],
                       std::min(block, rows - i), std::min(block, columns - j));
      });
      return;
    }
  }
  const int64_t outer = outerCount(rank - 1);
  const auto row = [&](int64_t index, int64_t begin, int64_t end) {
    const Place at = place(index, rank - 1);
    const int64_t fromStep = fromStrides[rank - 1], toStep = toStrides[rank - 1];
    copyRow(from + at.from + begin * fromStep, fromStep, to + at.to + begin * toStep, toStep, end - begin);
  };
  if (inner > elementwiseGrain) {
    const int64_t pieces = (inner + elementwiseGrain - 1) / elementwiseGrain;
    parallelFor(outer * pieces, [&](int64_t task, int) {
      const int64_t begin = task % pieces * elementwiseGrain;
      row(task / pieces, begin, std::min(inner, begin + elementwiseGrain));
    });
  } else {
    parallelRanges(outer, std::max<int64_t>(1, elementwiseGrain / std::max<int64_t>(1, inner)),
                   [&](int64_t begin, int64_t end, int) {
                     for (int64_t index = begin; index < end; index++) row(index, 0, inner);
                   });
  }
}
static void copyWords(const int32_t* from, int64_t fromOffset, int32_t* to, int64_t toOffset, const int32_t* layout,
                      int64_t rank) {
  copyViews(from + fromOffset, to + toOffset, layout, rank);
}
MM_KERNEL(copyWords)
static void copyBytes(const uint8_t* from, int64_t fromOffset, uint8_t* to, int64_t toOffset, const int32_t* layout,
                      int64_t rank) {
  copyViews(from + fromOffset, to + toOffset, layout, rank);
}
MM_KERNEL(copyBytes)

// ---- by index ----------------------------------------------------------------------------------------------------------

/**
 * out[batch][outer][i][inner] = x[batch][outer][indices[batch][i]][inner]; sizes of inner in bytes. Gives the position of
 * the first index outside 0 … length - 1, and then does nothing; or -1.
 */
static int64_t gather(const uint8_t* x, const int32_t* indices, uint8_t* out, int64_t batch, int64_t outer, int64_t length,
                      int64_t count, int64_t innerBytes) {
  for (int64_t i = 0; i < batch * count; i++)
    if (indices[i] < 0 || indices[i] >= length) return i;
  const int64_t rows = batch * outer * count;
  parallelRanges(rows, std::max<int64_t>(1, 4 * elementwiseGrain / std::max<int64_t>(1, innerBytes)),
                 [&](int64_t begin, int64_t end, int) {
                   for (int64_t row = begin; row < end; row++) {
                     const int64_t i = row % count, o = row / count, b = o / outer;
                     const int64_t index = indices[b * count + i];
                     std::memcpy(out + row * innerBytes, x + (o * length + index) * innerBytes, innerBytes);
                   }
                 });
  return -1;
}
MM_KERNEL(gather)

/** out[segment][inner] = sum of the rows x[row][inner] of that segment, in their order; rows elsewhere are left out. */
static void unsortedSegmentSum(const float* x, const int32_t* segments, float* out, int64_t rows, int64_t inner,
                               int64_t segmentCount) {
  constexpr int64_t columns = 64;
  parallelRanges(inner, columns, [&](int64_t begin, int64_t end, int) {
    for (int64_t s = 0; s < segmentCount; s++) std::fill(out + s * inner + begin, out + s * inner + end, 0.f);
    for (int64_t row = 0; row < rows; row++) {
      const int64_t s = segments[row];
      if (s < 0 || s >= segmentCount) continue;
      for (int64_t i = begin; i < end; i++) out[s * inner + i] += x[row * inner + i];
    }
  });
}
MM_KERNEL(unsortedSegmentSum)

static void oneHot(const int32_t* indices, float* out, int64_t count, int64_t depth, float on, float off) {
  std::fill(out, out + count * depth, off);
  for (int64_t i = 0; i < count; i++)
    if (indices[i] >= 0 && indices[i] < depth) out[i * depth + indices[i]] = on;
}
MM_KERNEL(oneHot)

}  // namespace mm::MM_ISA
