// Tiles of matrices in shared memory, and products of them on the tensor cores.
//
// A number enters a product as the sum of `Terms` bf16 numbers. One term is precision bf16: the number rounded. Three
// terms carry the 24 bits of fp32: x = t0 + t1 + t2 with t0 = bf16(x), t1 = bf16(x - t0), …, and of the nine products of
// terms the six that matter are added, the small ones first. So one kernel serves both precisions.
#pragma once
#include "device.h"

namespace mm::cuda {

constexpr int bf16Terms = 1, fp32Terms = 3;

/** Splits two neighbours into terms; what is infinite or NaN stays so in the first. */
template <int Terms>
MM_DEVICE void splitPair(float low, float high, uint32_t (&terms)[Terms]) {
#pragma unroll
  for (int t = 0; t < Terms; t++) {
    terms[t] = pairBf16(low, high);
    low -= lowOfPair(terms[t]);
    high -= highOfPair(terms[t]);
    if (low != low) low = 0;
    if (high != high) high = 0;
  }
}

/** The 16×16 and 16×8 operands of multiplyTile, term by term. */
template <int Terms>
struct LeftTile {
  uint32_t term[Terms][4];
};
template <int Terms>
struct RightTile {
  uint32_t term[Terms][2];
};

template <int Terms>
MM_DEVICE void multiply(float (&d)[4], const LeftTile<Terms>& a, const RightTile<Terms>& b) {
#pragma unroll
  for (int order = Terms - 1; order >= 0; order--) {
#pragma unroll
    for (int i = 0; i <= order; i++) multiplyTile(d, a.term[i], b.term[order - i]);
  }
}

/** Two neighbouring 16×8 results as the left operand of a product over their 16 columns. */
template <int Terms>
MM_DEVICE LeftTile<Terms> asLeft(const float (&first)[4], const float (&second)[4]) {
  LeftTile<Terms> tile;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float(&from)[4] = i < 2 ? first : second;
    uint32_t terms[Terms];
    splitPair<Terms>(from[i % 2 * 2], from[i % 2 * 2 + 1], terms);
#pragma unroll
    for (int t = 0; t < Terms; t++) tile.term[t][i] = terms[t];
  }
  return tile;
}

/**
 * `Rows` rows of `Width` numbers in shared memory, in pairs along the rows: word [row][pair]. Rows are four words longer
 * than their pairs, so that the lanes of a warp, which read eight rows at four places, find 32 different banks.
 */
template <int Terms, int Rows, int Width>
struct RowTile {
  static constexpr int stride = Width / 2 + 4;
  static constexpr int termWords = Rows * stride;
  static constexpr int words = Terms * termWords;
  uint32_t* data;

  MM_DEVICE void put(int row, int pair, float low, float high) const {
    uint32_t terms[Terms];
    splitPair<Terms>(low, high, terms);
#pragma unroll
    for (int t = 0; t < Terms; t++) data[t * termWords + row * stride + pair] = terms[t];
  }
  /** Fills the tile with the whole block: rows `rowStride` apart, of which `count` exist, with `width` numbers each. */
  MM_DEVICE void load(const float* from, int64_t rowStride, int count, int width) const {
    for (int i = threadIdx.x; i < Rows * (Width / 2); i += blockDim.x) {
      const int row = i / (Width / 2), pair = i % (Width / 2), column = 2 * pair;
      const float* at = from + row * rowStride + column;
      put(row, pair, row < count && column < width ? at[0] : 0, row < count && column + 1 < width ? at[1] : 0);
    }
  }
  /** Rows row … row + 15, columns column … column + 15. */
  MM_DEVICE LeftTile<Terms> left(int row, int column) const {
    const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
    LeftTile<Terms> tile;
#pragma unroll
    for (int t = 0; t < Terms; t++) {
      const uint32_t* at = data + t * termWords + (row + group) * stride + column / 2 + quad;
      tile.term[t][0] = at[0];
      tile.term[t][1] = at[8 * stride];
      tile.term[t][2] = at[4];
      tile.term[t][3] = at[8 * stride + 4];
    }
    return tile;
  }
  /** The transpose of rows row … row + 7, columns column … column + 15: the inner axis runs along the rows. */
  MM_DEVICE RightTile<Terms> right(int row, int column) const {
    const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
    RightTile<Terms> tile;
#pragma unroll
    for (int t = 0; t < Terms; t++) {
      const uint32_t* at = data + t * termWords + (row + group) * stride + column / 2 + quad;
      tile.term[t][0] = at[0];
      tile.term[t][1] = at[4];
    }
    return tile;
  }
};

/** The same rows in pairs down the columns: word [pair of rows][column], for products over the rows. */
template <int Terms, int Rows, int Width>
struct ColumnTile {
  static constexpr int stride = Width + 8;  // lanes read four rows at eight places
  static constexpr int termWords = Rows / 2 * stride;
  static constexpr int words = Terms * termWords;
  uint32_t* data;

  MM_DEVICE void load(const float* from, int64_t rowStride, int count, int width) const {
    for (int i = threadIdx.x; i < Rows / 2 * Width; i += blockDim.x) {
      const int pair = i / Width, column = i % Width, row = 2 * pair;
      const float* at = from + row * rowStride + column;
      uint32_t terms[Terms];
      splitPair<Terms>(row < count && column < width ? at[0] : 0, row + 1 < count && column < width ? at[rowStride] : 0,
                       terms);
#pragma unroll
      for (int t = 0; t < Terms; t++) data[t * termWords + pair * stride + column] = terms[t];
    }
  }
  /** Rows row … row + 15, columns column … column + 7. */
  MM_DEVICE RightTile<Terms> right(int row, int column) const {
    const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
    RightTile<Terms> tile;
#pragma unroll
    for (int t = 0; t < Terms; t++) {
      const uint32_t* at = data + t * termWords + (row / 2 + quad) * stride + column + group;
      tile.term[t][0] = at[0];
      tile.term[t][1] = at[4 * stride];
    }
    return tile;
  }
};

}  // namespace mm::cuda
