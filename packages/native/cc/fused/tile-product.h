// Products of small packed matrices that stay in cache: the building block of the memory reads, whose score tiles are at
// once the result of one product and an operand of the next.
#pragma once
#include "../micro-kernel.h"

namespace mm::MM_ISA {

/** Queries of a score tile. */
constexpr int tileQueries = 64;
constexpr int tileQueryVectors = tileQueries / lanes;

/** Operands of C[row][column] (+)= Σ_step A(row, step) · B[step][column]; see micro-kernel.h for steps. */
struct TileOperands {
  int64_t steps;
  const float* a;
  int64_t aStep;
  const float* b;
  int64_t bStep;
  float* c;
  int64_t cStride;
};

namespace detail {
template <int Rows, int Vectors, bool Paired, int RowStride, bool Accumulate>
MM_INLINE void tileProduct(const float* a, const float* b, float* c, const TileOperands& o) {
  Floats sums[Rows][Vectors] = {};
  multiplyTile<Rows, Vectors, Paired, RowStride>(o.steps, a, o.aStep, b, o.bStep, sums);
  MM_UNROLL for (int i = 0; i < Rows; i++, c += o.cStride) {
    MM_UNROLL for (int j = 0; j < Vectors; j++)
      store(c + j * lanes, Accumulate ? sums[i][j] + load(c + j * lanes) : sums[i][j]);
  }
}

/** A panel of rows by all columns, `vectors` vectors. */
template <int Rows, bool Paired, int RowStride, bool Accumulate>
__attribute__((noinline)) void panelProduct(const TileOperands operands, int vectors) {
  const float* b = operands.b;
  float* c = operands.c;
  for (; vectors >= tileVectors; vectors -= tileVectors, b += tileColumns, c += tileColumns)
    tileProduct<Rows, tileVectors, Paired, RowStride, Accumulate>(operands.a, b, c, operands);
  if constexpr (tileQueryVectors % tileVectors != 0 || RowStride != 1) {
    for (; vectors > 0; vectors--, b += lanes, c += lanes)
      tileProduct<Rows, 1, Paired, RowStride, Accumulate>(operands.a, b, c, operands);
  }
}

/** The first `rows` rows by tiles of `Rows` rows, what is left by tiles of fewer. */
template <int Rows, bool Paired, int RowStride, bool Accumulate>
MM_INLINE void fewerRows(int rows, int vectors, TileOperands& operands) {
  if (rows >= Rows) {
    panelProduct<Rows, Paired, RowStride, Accumulate>(operands, vectors);
    operands.a += Rows * RowStride;
    operands.c += Rows * operands.cStride;
    rows -= Rows;
  }
  if constexpr (Rows > 2) fewerRows<(Rows > 8 ? 8 : Rows > 4 ? 4 : 2), Paired, RowStride, Accumulate>(rows, vectors, operands);
}
}  // namespace detail

/**
 * The product for `rows` <= tileRows, rounded up to an even number (so A and C have that many), and `vectors` vectors of
 * columns. Few sizes of tiles keep the code small, and make up every number of rows.
 */
template <bool Paired, int RowStride, bool Accumulate>
MM_INLINE void panelProduct(int rows, int vectors, TileOperands operands) {
  detail::fewerRows<tileRows, Paired, RowStride, Accumulate>((rows + 1) & ~1, vectors, operands);
}

}  // namespace mm::MM_ISA
