// Packing an operand of a product into panels (see micro-kernel.h): any strides, so a transpose costs nothing; fp32 goes
// to bf16 pairs on the way when asked.
#pragma once
#include <algorithm>

#include "micro-kernel.h"

namespace mm::MM_ISA {

/**
 * Stores one step of a panel. A step narrower than a vector is stored with a whole vector, because the next step
 * overwrites what is too much, and storing under a mask is slow on AMD; so the last step must be stored exactly.
 */
template <int Width>
MM_INLINE void storeStep(float* out, Floats v, int wanted) {
  if constexpr (Width <= lanes) store(out, v);
  else storeFirst(out, v, wanted);
}

/** Rounds numbers to bf16 where they lie, for products of bf16 numbers that are not in pairs. */
inline __attribute__((noinline)) void roundInPlace(float* numbers, int64_t count) {
  for (int64_t i = 0; i < count; i += lanes)
    storeFirst(numbers + i, roundToBf16(loadFirst(numbers + i, count - i)), count - i);
}

namespace detail {

/** Panels of numbers that lie along k: squares of lanes rows × lanes steps are read and transposed in registers. */
template <int Width, bool Paired>
void fillFromRows(float* __restrict panel, const float* __restrict source, int64_t rowStride, int rows, int64_t depth) {
  constexpr int per = stepDepth<Paired>;
  const int64_t steps = stepCount<Paired>(depth);
  for (int first = 0; first < Width; first += lanes) {
    const int wanted = Width - first;
    for (int64_t step = 0; step < steps; step += lanes) {
      Floats square[lanes];
      const int64_t left = depth - step * per;
      MM_UNROLL for (int i = 0; i < lanes; i++) {
        const float* p = source + (first + i) * rowStride + step * per;
        if (first + i >= rows) square[i] = Floats{};
        else if constexpr (per == 2) square[i] = narrowToBf16(loadFirst(p, left), loadFirst(p + lanes, left - lanes));
        else square[i] = loadFirst(p, left);
      }
      transpose(square);
      float* out = panel + step * Width + first;
      if (steps - step > lanes) {
        MM_UNROLL for (int j = 0; j < lanes; j++) storeStep<Width>(out + j * Width, square[j], wanted);
      } else {
        const int last = static_cast<int>(steps - step) - 1;
        for (int j = 0; j < last; j++) storeStep<Width>(out + j * Width, square[j], wanted);
        storeFirst(out + last * Width, square[last], wanted);
      }
    }
  }
}

#if MM_LANES == 16
/** The same for at most lanes numbers in pairs: two rows share a vector, and half of the shuffles remain. */
template <int Width>
void fillFromShortRows(float* __restrict panel, const float* __restrict source, int64_t rowStride, int rows, int64_t depth) {
  const int steps = static_cast<int>(stepCount<true>(depth));
  for (int first = 0; first < Width; first += lanes) {
    const auto read = [&](int row) { return row < rows ? loadFirst(source + row * rowStride, depth) : Floats{}; };
    Floats halves[8];
    MM_UNROLL for (int i = 0; i < 8; i++) halves[i] = narrowToBf16(read(first + i), read(first + 8 + i));
    transposeHalves(halves);
    MM_UNROLL for (int step = 0; step < 8; step++) {
      float* out = panel + step * Width + first;
      if (step + 1 < steps) storeStep<Width>(out, halves[step], Width - first);
      else if (step + 1 == steps) storeFirst(out, halves[step], Width - first);
    }
  }
}
#endif

/** Panels of numbers that lie along the rows (or anyhow), k by k, so that memory is read in long stretches. */
template <int Width, bool Paired>
void fillFromColumns(float* __restrict panels, const float* __restrict source, int64_t rowStride, int64_t depthStride,
                     int64_t rows, int64_t depth) {
  constexpr int per = stepDepth<Paired>;
  const int64_t steps = stepCount<Paired>(depth);
  const auto read = [&](const float* from, int64_t count) {
    if (rowStride == 1) return loadFirst(from, count);
    Floats v = {};
    for (int i = 0; i < lanes && i < count; i++) v[i] = from[i * rowStride];
    return v;
  };
  for (int64_t step = 0; step < steps; step++) {
    for (int64_t row = 0; row < rows; row += Width) {
      float* out = panels + row * steps + step * Width;
      MM_UNROLL for (int first = 0; first < Width; first += lanes) {
        const float* p = source + (row + first) * rowStride + step * per * depthStride;
        const int64_t count = rows - row - first;
        Floats v = read(p, count);
        if constexpr (per == 2) {
          const bool paired = step * 2 + 1 < depth;
          v = pairBf16(v, paired ? read(p + depthStride, count) : Floats{});
        }
        if (step + 1 < steps) storeStep<Width>(out + first, v, Width - first);
        else storeFirst(out + first, v, Width - first);
      }
    }
  }
}

}  // namespace detail

/**
 * Packs rows × `depth` numbers into panels [rows / Width, rounded up][step][Width], zeros beyond the rows and beyond an odd
 * depth. Number (i, k) is source[i·rowStride + k·depthStride].
 */
template <int Width, bool Paired>
MM_INLINE void packPanels(float* panels, const float* source, int64_t rowStride, int64_t depthStride, int64_t rows,
                          int64_t depth, bool bf16) {
  const int64_t panelSize = Width * stepCount<Paired>(depth);
  if (depthStride == 1 && rowStride != 1) {
    for (int64_t row = 0; row < rows; row += Width) {
      float* panel = panels + row / Width * panelSize;
      const int count = static_cast<int>(std::min<int64_t>(Width, rows - row));
#if MM_LANES == 16
      if (Paired && depth <= lanes) {
        detail::fillFromShortRows<Width>(panel, source + row * rowStride, rowStride, count, depth);
        continue;
      }
#endif
      detail::fillFromRows<Width, Paired>(panel, source + row * rowStride, rowStride, count, depth);
    }
  } else {
    detail::fillFromColumns<Width, Paired>(panels, source, rowStride, depthStride, rows, depth);
  }
  if (bf16 && !Paired) roundInPlace(panels, (rows + Width - 1) / Width * panelSize);
}

}  // namespace mm::MM_ISA
