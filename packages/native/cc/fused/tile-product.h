// Products of small packed matrices that stay in cache: the building block of the memory reads, whose score tiles are at
// once the result of one product and an operand of the next.
#pragma once
#include "../micro-kernel.h"

namespace mm::MM_ISA {

/** Queries of a score tile. Few, because a causal read computes whole tiles along the diagonal. */
constexpr int tileQueries = lanes == 16 ? 32 : 64;
constexpr int tileQueryVectors = tileQueries / lanes;

/**
 * Rows of a packed panel of these products. Their sums are often short, as long as a head is wide: with 8 × 2 sums in
 * registers the next tile begins before the last one is stored, with 14 × 2 it waits.
 */
constexpr int panelRows = lanes == 16 ? 8 : tileRows;

/** Operands of C[row][column] (+)= Σ_step A(row, step) · B[step][column]; see micro-kernel.h for steps. */
struct TileOperands {
  int64_t steps;
  const float* a;
  int64_t aStep;
  int64_t aPanel;  // from one panel of panelRows rows to the next
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

/** Some rows by all columns, `vectors` vectors. */
template <int Rows, bool Paired, int RowStride, bool Accumulate>
MM_INLINE void rowsProduct(const float* a, float* c, int vectors, const TileOperands& o) {
  const float* b = o.b;
  for (; vectors >= tileVectors; vectors -= tileVectors, b += tileColumns, c += tileColumns)
    tileProduct<Rows, tileVectors, Paired, RowStride, Accumulate>(a, b, c, o);
  if constexpr (tileQueryVectors % tileVectors != 0 || RowStride != 1) {
    for (; vectors > 0; vectors--, b += lanes, c += lanes)
      tileProduct<Rows, 1, Paired, RowStride, Accumulate>(a, b, c, o);
  }
}

/** What is left, an even number of rows below panelRows, by tiles of fewer. */
template <int Rows, bool Paired, int RowStride, bool Accumulate>
MM_INLINE void fewerRows(const float* a, float* c, int rows, int vectors, const TileOperands& o) {
  if (rows >= Rows) {
    rowsProduct<Rows, Paired, RowStride, Accumulate>(a, c, vectors, o);
    a += Rows * RowStride;
    c += Rows * o.cStride;
    rows -= Rows;
  }
  if constexpr (Rows > 2) fewerRows<Rows / 2, Paired, RowStride, Accumulate>(a, c, rows, vectors, o);
}
}  // namespace detail

/** The product for `rows` rows, rounded up to an even number (so A and C have that many), and `vectors` vectors of columns. */
template <bool Paired, int RowStride, bool Accumulate>
__attribute__((noinline)) void tileProducts(int rows, int vectors, const TileOperands o) {
  const float* a = o.a;
  float* c = o.c;
  rows += rows & 1;
  for (; rows >= panelRows; rows -= panelRows, a += o.aPanel, c += panelRows * o.cStride)
    detail::rowsProduct<panelRows, Paired, RowStride, Accumulate>(a, c, vectors, o);
  detail::fewerRows<4, Paired, RowStride, Accumulate>(a, c, rows, vectors, o);
}

}  // namespace mm::MM_ISA
