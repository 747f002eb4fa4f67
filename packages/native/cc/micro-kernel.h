// The innermost product: a tile of rows × vectors of C in registers, C += A·B over `depth` steps of packed operands.
//
// A packed panel holds `width` rows of one operand as [step][width] 32-bit elements. A step is one k; a panel of bf16 pairs
// holds two k in one element (see pairBf16), and its product is dotBf16. Where there are no pairs, bf16 panels are fp32
// panels whose numbers were rounded, and run the same code.
#pragma once
#include "vector-math.h"

namespace mm::MM_ISA {

// Registers: rows·vectors accumulators, `vectors` of B, one broadcast element of A.
#if MM_LANES == 16
constexpr int tileRows = 14, tileVectors = 2;
#elif MM_LANES == 8
constexpr int tileRows = 6, tileVectors = 2;
#elif defined(__aarch64__)
constexpr int tileRows = 6, tileVectors = 4;
#else
constexpr int tileRows = 6, tileVectors = 2;
#endif
constexpr int tileColumns = tileVectors * lanes;

/** Values of k in one step of a packed panel. */
template <bool Paired>
constexpr int stepDepth = Paired ? 2 : 1;
/** Steps for `depth` values of k. */
template <bool Paired>
MM_INLINE int64_t stepCount(int64_t depth) {
  return (depth + stepDepth<Paired> - 1) / stepDepth<Paired>;
}

template <bool Paired>
MM_INLINE Floats multiplyAdd(Floats a, Floats b, Floats sum) {
  if constexpr (Paired) return dotBf16(a, b, sum);
  else return fma(a, b, sum);
}

/**
 * Adds A·B to a register tile. Element (row, step) of A is a[row·RowStride + step·aStep]; row `step` of B starts at
 * b + step·bStep.
 */
template <int Rows, int Vectors, bool Paired, int RowStride = 1>
MM_INLINE void multiplyTile(int64_t steps, const float* __restrict a, int64_t aStep, const float* __restrict b,
                            int64_t bStep, Floats (&c)[Rows][Vectors]) {
  for (int64_t step = 0; step < steps; step++) {
    Floats row[Vectors];
    MM_UNROLL for (int j = 0; j < Vectors; j++) row[j] = load(b + lanes * j);
    MM_UNROLL for (int i = 0; i < Rows; i++) {
      const Floats element = splat(a[i * RowStride]);
      MM_UNROLL for (int j = 0; j < Vectors; j++) c[i][j] = multiplyAdd<Paired>(element, row[j], c[i][j]);
    }
    a += aStep;
    b += bStep;
  }
}

/** Calls function.template operator()<Rows>() for 1 <= rows <= Most. */
template <int Most, class Function>
MM_INLINE void withRows(int rows, Function&& function) {
  if constexpr (Most == 1) {
    function.template operator()<1>();
  } else {
    if (rows == Most) function.template operator()<Most>();
    else withRows<Most - 1>(rows, function);
  }
}

}  // namespace mm::MM_ISA
