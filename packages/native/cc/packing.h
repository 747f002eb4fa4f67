// Packing an operand of a product into panels (see micro-kernel.h): any strides, so a transpose costs nothing; fp32 goes
// to bf16 pairs on the way when asked.
#pragma once
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

template <int Width, bool Paired>
void fillPanel(float* __restrict panel, const float* __restrict source, int64_t rowStride, int64_t depthStride, int rows,
               int64_t depth) {
  constexpr int per = stepDepth<Paired>;
  const int64_t steps = stepCount<Paired>(depth);

  if (depthStride == 1 && rowStride != 1) {
    // Rows lie along memory: read squares of lanes rows × lanes steps, transpose them in registers.
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
    return;
  }
  for (int64_t step = 0; step < steps; step++) {
    for (int first = 0; first < Width; first += lanes) {
      const float* p = source + first * rowStride + step * per * depthStride;
      const int count = rows - first;
      const auto read = [&](const float* from) {
        if (rowStride == 1) return loadFirst(from, count);
        Floats v = {};
        for (int i = 0; i < lanes && i < count; i++) v[i] = from[i * rowStride];
        return v;
      };
      Floats v = read(p);
      if constexpr (per == 2) {
        const bool paired = step * 2 + 1 < depth;
        v = pairBf16(v, paired ? read(p + depthStride) : Floats{});
      }
      float* out = panel + step * Width + first;
      if (step + 1 < steps) storeStep<Width>(out, v, Width - first);
      else storeFirst(out, v, Width - first);
    }
  }
}

}  // namespace detail

/**
 * Packs `rows` (<= Width) × `depth` numbers into panel[step][Width], zeros beyond the rows and beyond an odd depth.
 * Number (i, k) is source[i·rowStride + k·depthStride].
 */
template <int Width, bool Paired>
MM_INLINE void packPanel(float* panel, const float* source, int64_t rowStride, int64_t depthStride, int rows,
                         int64_t depth, bool bf16) {
  detail::fillPanel<Width, Paired>(panel, source, rowStride, depthStride, rows, depth);
  if (bf16 && !Paired) roundInPlace(panel, Width * stepCount<Paired>(depth));
}

}  // namespace mm::MM_ISA
