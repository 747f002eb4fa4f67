// The softmax of a score tile, chunk of keys by chunk of keys: with an online maximum, or with none where the lengths of
// queries and keys bound the scores. Scores then go from the product into the exponential without being stored.
#pragma once
#include <cstring>
#include "score-tile.h"
#include "softmax-exp.h"
#include "tile-dropout.h"

namespace mm::MM_ISA::read {

// Weights relative to a bound of the scores instead of their maximum are exact while their sum is not too far below 1: a
// weight's rounding error grows with its logarithm. Weights in bf16 only have to stay in the range of numbers.
constexpr float largestBound = 1e4f, smallestTotal = 0x1p-32f, smallestTotalBf16 = 0x1p-80f;
/** Whether the scores of eight keys, the columns of one Philox block, and a whole tile of queries fit in registers. */
constexpr bool sumsStayInRegisters = panelRows == 8 && tileQueryVectors == tileVectors;

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

}  // namespace mm::MM_ISA::read
