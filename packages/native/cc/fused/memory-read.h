// Softmax reads of a memory, one head at a time: y_i = Σ_j dropout(softmax_j(scale · q_i·k_j)) v_j.
//
// Works on transposed score tiles [keys][tile's queries]. The softmax then runs down the tile without horizontal sums, and
// the tile is at once the packed operand of the next product. Keys come in chunks with an online maximum (Milakov &
// Gimelshein 2018; Dao et al. 2022, "FlashAttention"): what is kept of a row is its log-sum-exp, to base 2, from which the
// gradient recomputes the weights. Nothing of size queries × keys exists beyond one tile.
//
// The same code reads the contextual memory (queries are the keys, only earlier ones are readable), the persistent
// memory (all slots are readable) and plain causal attention.
#pragma once
#include <algorithm>
#include <climits>
#include <cstring>
#include "../memory.h"
#include "../packing.h"
#include "softmax-exp.h"
#include "tile-dropout.h"
#include "tile-product.h"

namespace mm::MM_ISA {

/**
 * Keys of a score tile of the read: few enough that the tile stays in the first-level cache between its passes. A
 * multiple of 8, the columns of one Philox block.
 */
constexpr int keysPerRead = lanes == 16 ? 224 : 96;
/** Likewise of the gradient, which passes once over two tiles, and gains more from longer sums. */
constexpr int keysPerGradient = lanes == 16 ? 448 : 96;

/** `count` vectors of `width` numbers, `stride` apart. */
template <class Number>
struct Rows {
  Number* data;
  int64_t stride;
  Number* operator[](int64_t row) const { return data + row * stride; }
};

/** The query at absolute position p reads the keys p - farthest … p - nearest. */
struct ReadWindow {
  bool limited;  // false: every query reads every key
  int32_t offset;  // absolute position of the first query
  int32_t nearest;
  int32_t farthest;
};

struct HeadRead {
  Rows<const float> queries, keys, values;
  int queryCount, keyCount, width;
  float scale;
  ReadWindow window;
  DropoutMask dropout;
  bool bf16;
  // Row of query i in the saved log-sum-exp and in the dropout mask: sequences of `period` queries, `periodRows` apart.
  int32_t firstRow, period, periodRows;

  int32_t row(int query) const { return firstRow + query / period * periodRows + query % period; }
  /** Keys that at least one of the queries first … last may read: begin … end - 1. */
  int firstKey(int first) const {
    return window.limited ? std::max<int64_t>(0, int64_t{first} + window.offset - window.farthest) : 0;
  }
  int endKey(int last) const {
    if (!window.limited) return keyCount;
    return static_cast<int>(std::clamp<int64_t>(int64_t{last} + window.offset - window.nearest + 1, 0, keyCount));
  }
};

namespace read {

constexpr float lowestScore = -3e38f;   // of unreadable keys
constexpr float lowestMaximum = -1e38f; // a maximum to start from: e^(lowestScore - lowestMaximum) = 0
// Weights relative to a bound of the scores instead of their maximum are exact while their sum is not too far below 1: a
// weight's rounding error grows with its logarithm. Weights in bf16 only have to stay in the range of numbers.
constexpr float largestBound = 1e4f, smallestTotal = 0x1p-32f, smallestTotalBf16 = 0x1p-80f;
/** Whether the scores of eight keys, the columns of one Philox block, and a whole tile of queries fit in registers. */
constexpr bool sumsStayInRegisters = panelRows == 8 && tileQueryVectors == tileVectors;
constexpr float unreadableLogSumExp = 1e30f; // of queries that read nothing: every weight recomputed from it is 0

MM_INLINE bool anyLane(Ints mask) {
  const Longs words = (Longs)mask;
  uint64_t all = 0;
  for (int i = 0; i < lanes / 2; i++) all |= words[i];
  return all != 0;
}

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

/** Length of the longest row; NaN if a row has one. */
inline float longest(Rows<const float> rows, int count, int width) {
  float square = 0;
  for (int i = 0; i < count; i++) {
    Floats squares = {};
    for (int column = 0; column < width; column += lanes) {
      const Floats part = loadFirst(rows[i] + column, width - column);
      squares = fma(part, part, squares);
    }
    const float length = sum(squares);
    square = length <= square ? square : length;
  }
  return __builtin_sqrtf(square);
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

/** The softmax of one tile of queries on its way through the keys: weights relative to a maximum, or a bound, of the scores. */
template <bool Paired>
class TileSoftmax {
 public:
  /** `weights` [key step][tileQueries] are those of a chunk, `sums` [width][tileQueries] what is read with them. */
  TileSoftmax(const TileDropout& dropout, const int32_t* rows, float* weights, float* sums, int width)
      : dropout_(dropout), weights_(weights), sums_(sums), width_(width) {
    for (int v = 0; v < tileQueryVectors; v++) dropoutRows_[v] = dropout.rows(load(rows + v * lanes));
  }

  void start(float maximum) {
    for (int v = 0; v < tileQueryVectors; v++) {
      maximum_[v] = splat(maximum);
      subtracted_[v] = splat(maximum * log2e);
      total_[v] = Floats{};
    }
    std::memset(sums_, 0, sizeof(float) * width_ * tileQueries);
  }

  const Floats (&total() const)[tileQueryVectors] { return total_; }
  /** What the sums are to be multiplied by; 0 for a query that read nothing. */
  Floats factor(int v) const { return total_[v] == 0.f ? Floats{} : dropout_.scale() / total_[v]; }
  /** Logarithm of Σ_j e^score, to base 2. */
  Floats logSumExp(int v) const {
    return total_[v] == 0.f ? splat(unreadableLogSumExp) : subtracted_[v] + log(total_[v]) * log2e;
  }

  /**
   * Weighs the first `keys` of a chunk, a multiple of 8, by scores that never leave the registers. The chunk's first key is
   * the first of Philox block `block`; no score may exceed the maximum.
   */
  void weighProducts(const float* keyPanels, const float* queries, int64_t steps, int keys, float scale, int block) {
    dropout_.active() ? weighProducts<true>(keyPanels, queries, steps, keys, scale, block)
                      : weighProducts<false>(keyPanels, queries, steps, keys, scale, block);
  }

  /** Weighs keys `from` … `to` - 1 of a chunk, multiples of 8, by scores [key][tileQueries]; raises the maximum to theirs. */
  void weighScores(const float* scores, int from, int to, int block) {
    for (int v = 0; v < tileQueryVectors; v++) raiseMaximum(scores + v * lanes, from, to, v);
    dropout_.active() ? weighScores<true>(scores, from, to, block) : weighScores<false>(scores, from, to, block);
  }

 private:
  using DropoutRows = TileDropout::Rows;

  template <bool Drop>
  __attribute__((noinline)) void weighProducts(const float* keyPanels, const float* queries, int64_t steps, int keys,
                                               float scale, int block) {
    if constexpr (sumsStayInRegisters) {
      Floats subtracted[tileQueryVectors], added[tileQueryVectors] = {};
      MM_UNROLL for (int v = 0; v < tileQueryVectors; v++) subtracted[v] = subtracted_[v];
      const float factor = scale * log2e;
      // Locals, because stores might change what is behind a pointer.
      const TileDropout dropout = dropout_;
      DropoutRows rows[tileQueryVectors];
      MM_UNROLL for (int v = 0; v < tileQueryVectors; v++) rows[v] = dropoutRows_[v];
      float* const weights = weights_;
      for (int key = 0; key < keys; key += panelRows, keyPanels += panelRows * steps) {
        float* to = weights + key / stepDepth<Paired> * tileQueries;
        Floats sums[panelRows][tileQueryVectors] = {};
        multiplyTile<panelRows, tileQueryVectors, Paired>(steps, keyPanels, panelRows, queries, tileQueries, sums);
        MM_UNROLL for (int v = 0; v < tileQueryVectors; v++)
          added[v] += weigh<Drop>(to + v * lanes, dropout, rows[v], block + key / 8,
                                  [&](int i) MM_INLINED { return sums[i][v] * factor - subtracted[v]; });
      }
      MM_UNROLL for (int v = 0; v < tileQueryVectors; v++) total_[v] += added[v];
    }
  }

  template <bool Drop>
  __attribute__((noinline)) void weighScores(const float* scores, int from, int to, int block) {
    for (int v = 0; v < tileQueryVectors; v++) {
      const Floats subtracted = subtracted_[v];
      const TileDropout dropout = dropout_;
      const DropoutRows rows = dropoutRows_[v];
      float* const weights = weights_ + v * lanes;
      Floats added = {};
      for (int key = from; key < to; key += 8) {
        const float* p = scores + key * tileQueries + v * lanes;
        added += weigh<Drop>(weights + key / stepDepth<Paired> * tileQueries, dropout, rows, block + key / 8,
                             [&](int i) MM_INLINED { return load(p + i * tileQueries) * log2e - subtracted; });
      }
      total_[v] += added;
    }
  }

  /** Stores 2^exponent(i), or 0 if dropped, for i = 0 … 7, the keys of a Philox block; gives the sum over all of them. */
  template <bool Drop, class Exponent>
  MM_INLINE static Floats weigh(float* weights, const TileDropout& dropout, const DropoutRows& rows, int block,
                                const Exponent& exponent) {
    PhiloxBlock bits;
    if constexpr (Drop) bits = dropout.block(rows, block);
    Floats added[2] = {};
    MM_UNROLL for (int pair = 0; pair < 8; pair += 2) {
      Floats weight[2];
      MM_UNROLL for (int i = 0; i < 2; i++) {
        weight[i] = exp2Softmax(exponent(pair + i));
        added[i] += weight[i];
        if constexpr (Drop) weight[i] = keep(dropout.kept(bits, pair + i), weight[i]);
      }
      float* to = weights + pair / stepDepth<Paired> * tileQueries;
      if constexpr (Paired) store(to, pairBf16(weight[0], weight[1]));
      else MM_UNROLL for (int i = 0; i < 2; i++) store(to + i * tileQueries, weight[i]);
    }
    return added[0] + added[1];
  }

  void raiseMaximum(const float* column, int from, int to, int v) {
    Floats best = maximum_[v], second = best;
    for (int key = from; key < to; key += 2) {
      best = max(load(column + key * tileQueries), best);
      second = max(load(column + (key + 1) * tileQueries), second);
    }
    best = max(second, best);
    if (!anyLane(best > maximum_[v])) return;
    const Floats lower = subtracted_[v];
    maximum_[v] = best;
    subtracted_[v] = best * log2e;
    const Floats rescale = exp2Softmax(lower - subtracted_[v]);
    total_[v] *= rescale;
    for (int i = 0; i < width_; i++) {
      float* p = sums_ + i * tileQueries + v * lanes;
      store(p, load(p) * rescale);
    }
  }

  const TileDropout dropout_;
  DropoutRows dropoutRows_[tileQueryVectors];
  float* const weights_;
  float* const sums_;
  const int width_;
  Floats maximum_[tileQueryVectors], subtracted_[tileQueryVectors];  // the latter to base 2
  Floats total_[tileQueryVectors];                                   // Σ_j of all weights, also those dropped
};

}  // namespace read

/** Keys and values of a head, packed chunk by chunk for readForward. */
template <bool Paired>
class PackedMemory {
 public:
  PackedMemory(const HeadRead& head, Scratch& scratch)
      : keyChunk_(read::roundUp(keysPerRead, panelRows) * stepCount<Paired>(head.width)),
        valueChunk_(read::roundUp(head.width, panelRows) * stepCount<Paired>(keysPerRead)),
        width_(head.width),
        scale_(__builtin_fabsf(head.scale)) {
    const int64_t chunks = (head.keyCount + keysPerRead - 1) / keysPerRead;
    keys_ = scratch.floats(chunks * keyChunk_);
    values_ = scratch.floats(chunks * valueChunk_);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      const int64_t first = chunk * keysPerRead;
      const int count = static_cast<int>(std::min<int64_t>(keysPerRead, head.keyCount - first));
      const Rows<const float> chunkKeys{head.keys[first], head.keys.stride};
      const Rows<const float> chunkValues{head.values[first], head.values.stride};
      read::packRowPanels<Paired>(keys_ + chunk * keyChunk_, chunkKeys, count, head.width, head.bf16);
      read::packColumnPanels<Paired>(values_ + chunk * valueChunk_, chunkValues, count, head.width, head.bf16);
    }
    longestKey_ = read::longest(head.keys, head.keyCount, head.width);
  }

  /** A bound of the scores of these queries: |q·k| <= |q| |k|, and a little more where operands are rounded to bf16. */
  float largestScore(Rows<const float> queries, int count) const {
    return 1.01f * scale_ * longestKey_ * read::longest(queries, count, width_);
  }
  const float* keys(int64_t chunk) const { return keys_ + chunk * keyChunk_; }
  const float* values(int64_t chunk) const { return values_ + chunk * valueChunk_; }

 private:
  int64_t keyChunk_, valueChunk_;
  float *keys_, *values_;
  const int width_;
  const float scale_;
  float longestKey_;
};

/** Reads for queries first … last - 1 of a head; `logSumExp` (to base 2) is indexed by HeadRead::row. */
template <bool Paired>
void readForward(const HeadRead& head, const PackedMemory<Paired>& memory, int first, int last, Rows<float> output,
                 float* logSumExp, Scratch& scratch) {
  using namespace read;
  constexpr int per = stepDepth<Paired>;
  const int64_t widthSteps = stepCount<Paired>(head.width);
  const int tileWidth = std::max(roundUp(head.width, lanes), roundUp(head.width, panelRows));
  float* queries = scratch.floats(widthSteps * tileQueries);
  float* scores = scratch.floats((keysPerRead + panelRows) * tileQueries);
  float* weights = per == 1 ? scores : scratch.floats(keysPerRead / per * tileQueries);
  float* sums = scratch.floats(int64_t{tileWidth} * tileQueries);  // [width][tileQueries]
  const TileDropout dropout(head.dropout);
  bool boundsAreClose = sumsStayInRegisters;  // until a tile had to be read again

  for (int tile = first; tile < last; tile += tileQueries) {
    const int count = std::min(tileQueries, last - tile);
    packPanels<tileQueries, Paired>(queries, head.queries[tile], head.queries.stride, 1, count, head.width, head.bf16);
    int32_t rows[tileQueries];
    for (int i = 0; i < tileQueries; i++) rows[i] = head.row(tile + i);
    TileSoftmax<Paired> softmax(dropout, rows, weights, sums, tileWidth);
    const TileWindow window(head, tile);
    const int end = head.endKey(tile + count - 1);

    const float bound = memory.largestScore({head.queries[tile], head.queries.stride}, count);
    for (bool bounded = boundsAreClose && bound <= largestBound;; bounded = boundsAreClose = false) {
      softmax.start(bounded ? bound : lowestMaximum);
      for (int chunk = head.firstKey(tile) / keysPerRead; chunk * keysPerRead < end; chunk++) {
        const int begin = chunk * keysPerRead, keys = std::min(keysPerRead, end - begin), paddedKeys = roundUp(keys, 8);
        const float* keyPanels = memory.keys(chunk);
        // Scores that need no maximum and no window go from the product into the exponential; the others by way of a tile.
        const int direct = bounded ? window.readableByAll(begin, keys) : 0;
        softmax.weighProducts(keyPanels, queries, widthSteps, direct, head.scale, begin / 8);
        if (direct < keys) {
          float* rest = scores + direct * tileQueries;
          multiplyPanels<Paired>(rest, keyPanels + direct * widthSteps, queries, keys - direct, widthSteps);
          scaleTile(rest, keys - direct, head.scale);
          std::fill(scores + keys * tileQueries, scores + paddedKeys * tileQueries, lowestScore);
          window.hideUnreadable(rest, begin + direct, keys - direct, lowestScore);
          softmax.weighScores(scores, direct, paddedKeys, begin / 8);
        }
        if (head.bf16 && per == 1) roundInPlace(weights, keys * tileQueries);
        const int64_t packedSteps = stepCount<Paired>(std::min(keysPerRead, head.keyCount - begin));
        multiplyColumns<Paired>(sums, memory.values(chunk), packedSteps, weights, head.width, stepCount<Paired>(keys));
      }
      if (!bounded || !window.hasLessThan(head.bf16 ? smallestTotalBf16 : smallestTotal, softmax.total(), count)) break;
    }

    Floats factor[tileQueryVectors];
    for (int v = 0; v < tileQueryVectors; v++) {
      factor[v] = softmax.factor(v);
      const Floats rowLogSumExp = softmax.logSumExp(v);
      for (int i = 0; i < lanes && v * lanes + i < count; i++) logSumExp[rows[v * lanes + i]] = rowLogSumExp[i];
    }
    unpackTile(sums, factor, {output[tile], output.stride}, count, head.width, false);
  }
}

struct HeadReadGradients {
  Rows<const float> output, outputGradient;
  const float* logSumExp;
  Rows<float> queries, keys, values;
  bool tied;  // queries and keys are the same rows: the gradient of the queries is added to that of the keys
};

/**
 * Gradients of readForward for queries first … last - 1: dq is written, dk and dv are what these queries contribute.
 *
 *   p_ij = 2^(s_ij log2 e - lse_i),  w_ij = dropout(p_ij),  dv_j = Σ_i w_ij dy_i,
 *   ds_ij = w_ij (dy_i·v_j) - p_ij (dy_i·y_i),  dq_i = scale Σ_j ds_ij k_j,  dk_j = scale Σ_i ds_ij q_i
 */
template <bool Paired>
void readBackward(const HeadRead& head, const HeadReadGradients& gradients, int first, int last, Scratch& scratch) {
  using namespace read;
  constexpr int per = stepDepth<Paired>;
  constexpr int tileSteps = tileQueries / per;
  const int width = head.width, stride = roundUp(width, lanes), tiles = (last - first + tileQueries - 1) / tileQueries;
  const int64_t widthSteps = stepCount<Paired>(width);
  const int64_t columnTile = widthSteps * tileQueries, rowTile = int64_t{tileSteps} * stride;
  const int sumWidth = std::max(stride, roundUp(width, panelRows));

  // Of each query tile: q and dy by columns [width step][tileQueries] and by rows [query step][width], Σ_j ds k as [width][tileQueries].
  float* queryColumns = scratch.floats(tiles * columnTile);
  float* gradientColumns = scratch.floats(tiles * columnTile);
  float* queryRows = scratch.floats(tiles * rowTile);
  float* gradientRows = scratch.floats(tiles * rowTile);
  float* querySums = scratch.floats(int64_t{tiles} * sumWidth * tileQueries);
  float* logSumExp = scratch.floats(tiles * tileQueries);
  float* delta = scratch.floats(tiles * tileQueries);  // dy_i·y_i / dropoutScale
  int32_t* rows = scratch.take<int32_t>(tiles * tileQueries);
  // Of a chunk of keys.
  float* keyPanels = scratch.floats(roundUp(keysPerGradient, panelRows) * widthSteps);
  float* valuePanels = scratch.floats(roundUp(keysPerGradient, panelRows) * widthSteps);
  float* keyColumnPanels = scratch.floats(roundUp(width, panelRows) * stepCount<Paired>(keysPerGradient));
  float* keySums = scratch.floats(int64_t{keysPerGradient} * stride);
  float* valueSums = scratch.floats(int64_t{keysPerGradient} * stride);
  // Of a tile: scores become dropped weights w, dy·v becomes ds; in bf16 pairs they are stored anew, ds twice.
  float* scores = scratch.floats((keysPerGradient + panelRows) * tileQueries);
  float* products = scratch.floats((keysPerGradient + panelRows) * tileQueries);
  float* weightRows = per == 1 ? scores : scratch.floats(keysPerGradient * tileSteps);      // [key][query step]
  float* scoreRows = per == 1 ? products : scratch.floats(keysPerGradient * tileSteps);     // [key][query step]
  float* scoreColumns = per == 1 ? products : scratch.floats(keysPerGradient / per * tileQueries);  // [key step][tileQueries]

  const TileDropout dropout(head.dropout);
  // The tiles hold weights and ds without the factor that dropout gives the kept weights; it comes at the end.
  const float dropoutScale = head.dropout.scale();

  for (int tile = 0; tile < tiles; tile++) {
    const int query = first + tile * tileQueries, count = std::min(tileQueries, last - query);
    const Rows<const float> q{head.queries[query], head.queries.stride};
    const Rows<const float> dy{gradients.outputGradient[query], gradients.outputGradient.stride};
    packPanels<tileQueries, Paired>(queryColumns + tile * columnTile, q.data, q.stride, 1, count, width, head.bf16);
    packPanels<tileQueries, Paired>(gradientColumns + tile * columnTile, dy.data, dy.stride, 1, count, width, head.bf16);
    packRows<Paired>(queryRows + tile * rowTile, q, count, width, tileSteps, head.bf16);
    packRows<Paired>(gradientRows + tile * rowTile, dy, count, width, tileSteps, head.bf16);
    for (int i = 0; i < tileQueries; i++) {
      const int at = tile * tileQueries + i;
      rows[at] = head.row(query + i);
      Floats dot = {};
      for (int column = 0; i < count && column < width; column += lanes) {
        dot = fma(loadFirst(dy[i] + column, width - column),
                  loadFirst(gradients.output[query + i] + column, width - column), dot);
      }
      delta[at] = sum(dot) / dropoutScale;
      logSumExp[at] = i < count ? gradients.logSumExp[rows[at]] : unreadableLogSumExp;
    }
  }
  std::memset(querySums, 0, sizeof(float) * tiles * sumWidth * tileQueries);

  const auto packChunk = [&](int begin) {
    const int present = std::min(keysPerGradient, head.keyCount - begin);
    const Rows<const float> k{head.keys[begin], head.keys.stride}, v{head.values[begin], head.values.stride};
    packRowPanels<Paired>(keyPanels, k, present, width, head.bf16);
    packRowPanels<Paired>(valuePanels, v, present, width, head.bf16);
    packColumnPanels<Paired>(keyColumnPanels, k, present, width, head.bf16);
    return present;
  };
  // Fills `scores` and `products` for a tile and the chunk; gives its keys, 0 if the tile reads none of them.
  const auto fillTile = [&](int tile, int begin, int present) {
    const int query = first + tile * tileQueries;
    const int keys = std::min(present, head.endKey(std::min(query + tileQueries, last) - 1) - begin);
    if (keys <= 0 || head.firstKey(query) >= begin + present) return 0;
    const int paddedKeys = roundUp(keys, 8);
    multiplyPanels<Paired>(scores, keyPanels, queryColumns + tile * columnTile, keys, widthSteps);
    scaleTile(scores, keys, head.scale);
    multiplyPanels<Paired>(products, valuePanels, gradientColumns + tile * columnTile, keys, widthSteps);
    std::fill(scores + keys * tileQueries, scores + paddedKeys * tileQueries, lowestScore);
    std::fill(products + keys * tileQueries, products + paddedKeys * tileQueries, 0.f);
    const TileWindow window(head, query);
    window.hideUnreadable(scores, begin, keys, lowestScore);
    window.hideUnreadable(products, begin, keys, 0);
    return keys;
  };

  // Σ_j ds_ij is 0. Where keys are so long that a score's gradient is multiplied by thousands, this must hold exactly: dy_i·y_i
  // is then replaced by Σ_j w_ij (dy_i·v_j) / Σ_j p_ij, of the very numbers used below.
  const float largestScore = longest({head.queries[first], head.queries.stride}, last - first, width) *
                             longest(head.keys, head.keyCount, width) * __builtin_fabsf(head.scale);
  if (!head.bf16 && largestScore > 1e3f) {
    float* total = scratch.floats(tiles * tileQueries);  // Σ_j p_ij
    float* along = scratch.floats(tiles * tileQueries);  // Σ_j w_ij (dy_i·v_j)
    std::memset(total, 0, sizeof(float) * tiles * tileQueries);
    std::memset(along, 0, sizeof(float) * tiles * tileQueries);
    for (int begin = 0; begin < head.keyCount; begin += keysPerGradient) {
      const int present = packChunk(begin);
      for (int tile = 0; tile < tiles; tile++) {
        const int keys = fillTile(tile, begin, present);
        for (int column = 0; column < tileQueries; column += lanes) {
          const int at = tile * tileQueries + column;
          const TileDropout::Rows dropoutRows = dropout.rows(load(rows + at));
          Floats p = load(total + at), wProduct = load(along + at);
          for (int key = 0; key < keys; key++) {
            const Floats weight = exp2Softmax(load(scores + key * tileQueries + column) * log2e - load(logSumExp + at));
            const Ints kept = dropout.kept(dropout.block(dropoutRows, (begin + key) / 8), (begin + key) % 8);
            p += weight;
            wProduct = fma(keep(kept, weight), load(products + key * tileQueries + column), wProduct);
          }
          store(total + at, p);
          store(along + at, wProduct);
        }
      }
    }
    for (int at = 0; at < tiles * tileQueries; at++)
      if (total[at] > 0) delta[at] = along[at] / total[at];
  }

  for (int begin = 0; begin < head.keyCount; begin += keysPerGradient) {
    const int present = packChunk(begin);
    std::memset(keySums, 0, sizeof(float) * present * stride);
    std::memset(valueSums, 0, sizeof(float) * present * stride);

    for (int tile = 0; tile < tiles; tile++) {
      const int keys = fillTile(tile, begin, present), paddedKeys = roundUp(keys, 8);
      if (keys == 0) continue;
      // Two vectors of queries at a time, because they make one vector of bf16 pairs.
      for (int vector = 0; vector < tileQueryVectors; vector += 2) {
        Floats rowLogSumExp[2], rowDelta[2];
        TileDropout::Rows dropoutRows[2];
        MM_UNROLL for (int half = 0; half < 2; half++) {
          const int at = tile * tileQueries + (vector + half) * lanes;
          rowLogSumExp[half] = load(logSumExp + at);
          rowDelta[half] = load(delta + at);
          dropoutRows[half] = dropout.rows(load(rows + at));
        }
        const auto differentiate = [&](auto drop) {
          for (int key = 0; key < paddedKeys; key += 8) {
            PhiloxBlock bits[2];
            if constexpr (drop) {
              MM_UNROLL for (int half = 0; half < 2; half++)
                bits[half] = dropout.block(dropoutRows[half], (begin + key) / 8);
            }
            MM_UNROLL for (int pair = 0; pair < 8; pair += 2) {
              Floats w[2][2], ds[2][2];  // [key][half]
              MM_UNROLL for (int i = 0; i < 2; i++) {
                MM_UNROLL for (int half = 0; half < 2; half++) {
                  const int at = (key + pair + i) * tileQueries + (vector + half) * lanes;
                  const Floats p = exp2Softmax(load(scores + at) * log2e - rowLogSumExp[half]);
                  w[i][half] = p;
                  if constexpr (drop) w[i][half] = keep(dropout.kept(bits[half], pair + i), p);
                  ds[i][half] = w[i][half] * load(products + at) - p * rowDelta[half];
                  if constexpr (per == 1) {
                    store(scores + at, w[i][half]);
                    store(products + at, ds[i][half]);
                  }
                }
                if constexpr (per == 2) {
                  const int at = (key + pair + i) * tileSteps + vector / 2 * lanes;
                  store(weightRows + at, narrowToBf16(w[i][0], w[i][1]));
                  store(scoreRows + at, narrowToBf16(ds[i][0], ds[i][1]));
                }
              }
              if constexpr (per == 2) {
                MM_UNROLL for (int half = 0; half < 2; half++) {
                  store(scoreColumns + (key + pair) / 2 * tileQueries + (vector + half) * lanes,
                        pairBf16(ds[0][half], ds[1][half]));
                }
              }
            }
          }
        };
        if (dropout.active()) differentiate(std::true_type{});
        else differentiate(std::false_type{});
      }

      if (head.bf16 && per == 1) {
        roundInPlace(scores, keys * tileQueries);
        roundInPlace(products, keys * tileQueries);
      }
      if (keys % 2 != 0) {  // the products below take even numbers of rows
        std::fill_n(weightRows + keys * tileSteps, tileSteps, 0.f);
        std::fill_n(scoreRows + keys * tileSteps, tileSteps, 0.f);
      }
      multiplyColumns<Paired>(querySums + int64_t{tile} * sumWidth * tileQueries, keyColumnPanels,
                            stepCount<Paired>(present), scoreColumns, width, stepCount<Paired>(keys));
      addRowProducts<Paired>(valueSums, stride, weightRows, gradientRows + tile * rowTile, keys);
      addRowProducts<Paired>(keySums, stride, scoreRows, queryRows + tile * rowTile, keys);
    }
    for (int key = 0; key < present; key++) {
      for (int column = 0; column < width; column += lanes) {
        const int at = key * stride + column;
        storeFirst(gradients.keys[begin + key] + column, load(keySums + at) * (head.scale * dropoutScale), width - column);
        storeFirst(gradients.values[begin + key] + column, load(valueSums + at) * dropoutScale, width - column);
      }
    }
  }
  Floats factor[tileQueryVectors];
  for (auto& f : factor) f = splat(head.scale * dropoutScale);
  for (int tile = 0; tile < tiles; tile++) {
    const int query = first + tile * tileQueries;
    unpackTile(querySums + int64_t{tile} * sumWidth * tileQueries, factor,
               {gradients.queries[query], gradients.queries.stride}, std::min(tileQueries, last - query), width,
               gradients.tied);
  }
}

}  // namespace mm::MM_ISA
