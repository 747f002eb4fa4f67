// What the kernels of memory reads share: which head a block works on, which keys a query may read, which weights dropout
// keeps. The definition is that of cc/fused/memory-read.h: y_i = Σ_j dropout(softmax_j(scale · q_i·k_j)) v_j.
#pragma once
#include "../cc/kernel.h"
#include "launch.h"
#include "philox.h"
#include "tiles.h"

namespace mm::cuda {

MM_DEVICE int smaller(int a, int b) { return a < b ? a : b; }
MM_DEVICE int larger(int a, int b) { return a > b ? a : b; }

/** Rows of one head, `stride` numbers apart. */
template <class Number>
struct HeadRows {
  Number* data;
  int64_t stride;
  MM_DEVICE Number* operator[](int64_t row) const { return data + row * stride; }
};

/** Where the heads of a tensor start: sequence b, head h at b·batchStep + h·headStep, rows `stride` apart. */
struct HeadLayout {
  int64_t batchStep, headStep, stride;
  template <class Number>
  MM_DEVICE HeadRows<Number> of(Number* tensor, int64_t b, int64_t h) const {
    return {tensor + b * batchStep + h * headStep, stride};
  }
};

/** All heads of a read. Heads of all sequences are numbered through: the grid's second axis. */
struct Read {
  const float *queries, *keys, *values;
  HeadLayout queryLayout, keyLayout;
  int64_t heads, headCount;  // of a sequence, and in all
  int queryCount, keyCount, width;
  float scale;
  // The query at absolute position p reads the keys p - farthest … p - nearest; every key where the window is not limited.
  bool limited;
  int32_t offset, nearest, farthest;
  DropoutMask dropout;
  // Row of a query in the log-sum-exp and in the dropout mask: sequences of `period` queries, `periodRows` apart.
  int32_t period, periodRows;

  MM_DEVICE int64_t row(int64_t head, int query) const {
    return head * period + static_cast<int64_t>(query / period) * periodRows + query % period;
  }
  MM_DEVICE bool reads(int query, int key) const {
    if (query >= queryCount || key >= keyCount) return false;
    const int32_t position = query + offset;
    return !limited || (key <= position - nearest && key >= position - farthest);
  }
  /** Keys that at least one of the queries first … last may read: firstKey … endKey - 1. */
  MM_DEVICE int firstKey(int first) const { return limited ? larger(0, first + offset - farthest) : 0; }
  MM_DEVICE int endKey(int last) const {
    return limited ? smaller(keyCount, larger(0, last + offset - nearest + 1)) : keyCount;
  }
  /** Queries that may read at least one of the keys first … last: firstQuery … endQuery - 1. */
  MM_DEVICE int firstQuery(int first) const { return limited ? larger(0, first + nearest - offset) : 0; }
  MM_DEVICE int endQuery(int last) const {
    return limited ? smaller(queryCount, larger(0, last + farthest - offset + 1)) : queryCount;
  }
};

constexpr float unreadableLogSumExp = 1e30f;  // of queries that read nothing: every weight recomputed from it is 0

/** Random bits of 16 queries × 16 keys: each lane of a warp draws for one query and eight keys. */
struct MaskTile {
  static constexpr int words = warpLanes * 4;
  uint32_t* data;

  /** `row` is the mask's row of query lane % 16; keys begin at a multiple of 16. */
  MM_DEVICE void draw(const DropoutMask& mask, int64_t row, int firstKey) const {
    const int lane = laneOfWarp();
    const PhiloxBlock block = mask.block(static_cast<uint32_t>(firstKey / 8 + lane / 16), static_cast<uint32_t>(row));
    __syncwarp();  // others may still read the tile before
#pragma unroll
    for (int i = 0; i < 4; i++) data[4 * lane + i] = block.word[i];
    __syncwarp();
  }
  MM_DEVICE bool keeps(const DropoutMask& mask, int query, int key) const {
    const uint32_t word = data[4 * (query + key / 8 * 16) + key % 8 / 2];
    return (key % 2 == 0 ? word & 0xffffu : word >> 16) >= mask.threshold;
  }
};

}  // namespace mm::cuda
