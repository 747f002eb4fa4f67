// A tile of scores [keys][tile's queries]: its operands, the products that it takes part in, and who may read which key.
#pragma once
#include <algorithm>
#include <climits>
#include "../packing.h"
#include "head-read.h"
#include "heads.h"
#include "tile-product.h"

namespace mm::MM_ISA::read {

inline int roundUp(int count, int multiple) { return (count + multiple - 1) / multiple * multiple; }

/** Packs rows as panels of panelRows rows (operand A of a product over their `width` numbers). */
template <bool Paired>
void packRowPanels(float* packed, Rows<const float> rows, int count, int width, bool bf16) {
  packPanels<panelRows, Paired>(packed, rows.data, rows.stride, 1, count, width, bf16);
}

/** Packs rows as panels of panelRows of their numbers (operand A of a product over the rows). */
template <bool Paired>
void packColumnPanels(float* packed, Rows<const float> rows, int count, int width, bool bf16) {
  packPanels<panelRows, Paired>(packed, rows.data, 1, rows.stride, width, count, bf16);
}

/** Packs rows as [step of rows][width rounded up to vectors] (operand B of a product over the rows), zeros outside. */
template <bool Paired>
void packRows(float* packed, Rows<const float> rows, int count, int width, int steps, bool bf16) {
  constexpr int per = stepDepth<Paired>;
  const int stride = roundUp(width, lanes);
  for (int step = 0; step < steps; step++, packed += stride) {
    for (int column = 0; column < width; column += lanes) {
      const auto read = [&](int row) { return row < count ? loadFirst(rows[row] + column, width - column) : Floats{}; };
      Floats v = read(step * per);
      if constexpr (per == 2) v = pairBf16(v, read(step * per + 1));
      else if (bf16) v = roundToBf16(v);
      store(packed + column, v);
    }
  }
}

/** Unpacks tile[width][tileQueries], times a factor for each query, into rows of queries. */
inline void unpackTile(const float* tile, const Floats (&factor)[tileQueryVectors], Rows<float> rows, int count, int width,
                       bool accumulate) {
  for (int v = 0; v < tileQueryVectors && v * lanes < count; v++) {
    for (int column = 0; column < width; column += lanes) {
      Floats square[lanes];
      MM_UNROLL for (int j = 0; j < lanes; j++) square[j] = load(tile + (column + j) * tileQueries + v * lanes) * factor[v];
      transpose(square);
      MM_UNROLL for (int i = 0; i < lanes; i++) {
        if (v * lanes + i < count) {
          float* to = rows[v * lanes + i] + column;
          storeFirst(to, accumulate ? square[i] + loadFirst(to, width - column) : square[i], width - column);
        }
      }
    }
  }
}

/** Length of the longest row, not counting those with a NaN. */
inline float longest(Rows<const float> rows, int count, int width) {
  Floats length = {};
  for (int i = 0; i < count; i += lanes)
    length = max(vectorNorms(rows[i], rows.stride, std::min(lanes, count - i), width), length);
  return maximum(length);
}

/** tile[row][tileQueries] = A·B with A in panels of `steps` steps each. */
template <bool Paired>
void multiplyPanels(float* tile, const float* panels, const float* b, int rows, int64_t steps) {
  tileProducts<Paired, 1, false>(rows, tileQueryVectors,
                                 {steps, panels, panelRows, panelRows * steps, b, tileQueries, tile, tileQueries});
}

/** sums[width][tileQueries] += A·B with A in panels of the width, of which `steps` of `panelSteps` are used. */
template <bool Paired>
void multiplyColumns(float* sums, const float* panels, int64_t panelSteps, const float* b, int width, int64_t steps) {
  tileProducts<Paired, 1, true>(width, tileQueryVectors,
                                {steps, panels, panelRows, panelRows * panelSteps, b, tileQueries, sums, tileQueries});
}

/** sums[key][stride] += A[key][query step] · B[query step][stride]. */
template <bool Paired>
void addRowProducts(float* sums, int stride, const float* a, const float* b, int keys) {
  constexpr int steps = tileQueries / stepDepth<Paired>;
  tileProducts<Paired, steps, true>(keys, stride / lanes, {steps, a, 1, panelRows * steps, b, stride, sums, stride});
}

/** tile[key][tileQueries] *= scale. */
inline void scaleTile(float* tile, int keys, float scale) {
  if (scale == 1) return;
  for (int i = 0; i < keys * tileQueries; i += lanes) store(tile + i, load(tile + i) * scale);
}

/** Positions of a tile's queries against the window. */
struct TileWindow {
  Ints last[tileQueryVectors], first[tileQueryVectors];  // readable keys of each query
  int allFrom, allTo;                                    // keys in allFrom … allTo - 1 are readable by the whole tile

  TileWindow(const HeadRead& head, int firstQuery) {
    const ReadWindow& w = head.window;
    const int32_t position = firstQuery + w.offset;
    for (int v = 0; v < tileQueryVectors; v++) {
      const Ints p = laneIndex() + (position + v * lanes);
      last[v] = w.limited ? p - w.nearest : splat(INT32_MAX);
      first[v] = w.limited ? p - w.farthest : splat(INT32_MIN);
    }
    allFrom = w.limited ? position + tileQueries - 1 - w.farthest : 0;
    allTo = w.limited ? position - w.nearest + 1 : INT32_MAX;
  }
  MM_INLINE Ints readable(int v, int key) const { return (last[v] >= key) & (first[v] <= key); }

  /** Whether a total of the tile's first `count` queries is below `least` although there are keys to read. */
  bool hasLessThan(float least, const Floats (&total)[tileQueryVectors], int count) const {
    bool found = false;
    for (int v = 0; v < tileQueryVectors; v++)
      found = found || anyLane((total[v] < splat(least)) & (last[v] >= 0) & firstLanes(count - v * lanes));
    return found;
  }

  /** Of `keys` keys from `begin` on, how many every query may read, in whole blocks of 8; 0 if not the first. */
  int readableByAll(int begin, int keys) const {
    return begin < allFrom ? 0 : std::clamp(allTo - begin, 0, keys) / 8 * 8;
  }

  /** Puts `hidden` into tile[key][tileQueries], whose first key is `begin`, wherever a query may not read a key. */
  void hideUnreadable(float* tile, int begin, int keys, float hidden) const {
    hideBetween(tile, begin, 0, std::min(keys, allFrom - begin), hidden);
    hideBetween(tile, begin, std::max(0, allTo - begin), keys, hidden);
  }

 private:
  void hideBetween(float* tile, int begin, int from, int to, float hidden) const {
    for (int key = from; key < to; key++) {
      for (int v = 0; v < tileQueryVectors; v++) {
        float* p = tile + key * tileQueries + v * lanes;
        store(p, select(readable(v, begin + key), load(p), splat(hidden)));
      }
    }
  }
};

}  // namespace mm::MM_ISA::read
