// The read of memory-read.h for so few queries that packing the memory for them would cost more than reading it: token by
// token, as in generation. Keys and values are read once, where they stand; the speed is that of memory.
#pragma once
#include "../stored-rows.h"
#include "memory-read.h"

namespace mm::MM_ISA {

/** Up to this many queries per head, each is read on its own. */
constexpr int fewQueries = 4;

/** weights[j] = scale · query·row_j · factor_j for `count` rows of `width` numbers; writes whole vectors. */
template <class Number>
void scoreRows(const float* query, StoredRows<Number> rows, int count, int width, float scale, float* weights) {
  for (int first = 0; first < count; first += lanes) {
    const int there = std::min(lanes, count - first);
    const Number* row[lanes];  // a missing one is the last once more
    for (int i = 0; i < lanes; i++) row[i] = rows[first + std::min(i, there - 1)];
    Floats sums[lanes] = {};
    int column = 0;
    for (; column + lanes <= width; column += lanes) {
      const Floats q = load(query + column);
      MM_UNROLL for (int i = 0; i < lanes; i++) sums[i] = fma(q, widen(row[i] + column), sums[i]);
    }
    if (column < width) {
      const Floats q = loadFirst(query + column, width - column);
      MM_UNROLL for (int i = 0; i < lanes; i++) sums[i] = fma(q, widenFirst(row[i] + column, width - column), sums[i]);
    }
    transpose(sums);  // lane i now belongs to row i
    Floats total = sums[0];
    MM_UNROLL for (int i = 1; i < lanes; i++) total += sums[i];
    if (rows.factor != nullptr) total *= loadFirst(rows.factor + first, there);
    store(weights + first, scale * total);
  }
}

/** Columns summed at a time: one pass over the rows for heads of up to so many vectors. */
constexpr int vectorsAtOnce = 8;

/** sums[width] = Σ_j weights[j]·factor_j·row_j over `count` rows. */
template <class Number>
void addWeightedRows(float* sums, const float* weights, StoredRows<Number> rows, int count, int width) {
  for (int begin = 0; begin < width; begin += vectorsAtOnce * lanes) {
    const int left = width - begin, vectors = std::min(vectorsAtOnce, (left + lanes - 1) / lanes);
    withRows<vectorsAtOnce>(vectors, [&]<int Vectors>() {
      constexpr int whole = (Vectors - 1) * lanes;  // numbers before the last vector, which may have a tail
      const int last = std::min(lanes, left - whole);
      Floats total[Vectors] = {};
      const auto add = [&](auto readLast) {
        for (int j = 0; j < count; j++) {
          const Number* row = rows[j] + begin;
          const Floats weight = splat(weights[j] * rows.factorOf(j));
          MM_UNROLL for (int v = 0; v + 1 < Vectors; v++) total[v] = fma(weight, widen(row + v * lanes), total[v]);
          total[Vectors - 1] = fma(weight, readLast(row + whole), total[Vectors - 1]);
        }
      };
      if (last == lanes) add([](const Number* p) { return widen(p); });
      else add([&](const Number* p) { return widenFirst(p, last); });
      MM_UNROLL for (int v = 0; v + 1 < Vectors; v++) store(sums + begin + v * lanes, total[v]);
      storeFirst(sums + begin + whole, total[Vectors - 1], last);
    });
  }
}

/** Reads for all queries of a head, without dropout; `logSumExp` (to base 2) is indexed by HeadRead::row. */
template <class Number>
void readFewForward(const HeadRead& head, StoredRows<Number> keys, StoredRows<Number> values, Rows<float> output,
                    float* logSumExp, Scratch& scratch) {
  using namespace read;
  float* weights = scratch.floats(roundUp(head.keyCount, lanes));
  for (int query = 0; query < head.queryCount; query++) {
    const int begin = head.firstKey(query), count = head.endKey(query) - begin;
    if (count <= 0) {
      std::fill_n(output[query], head.width, 0.f);
      logSumExp[head.row(query)] = unreadableLogSumExp;
      continue;
    }
    scoreRows(head.queries[query], keys.from(begin), count, head.width, head.scale, weights);
    std::fill(weights + count, weights + roundUp(count, lanes), lowestScore);
    Floats largest = splat(lowestMaximum);
    for (int j = 0; j < count; j += lanes) largest = max(load(weights + j), largest);
    const float best = maximum(largest);
    Floats added{};
    for (int j = 0; j < count; j += lanes) {
      const Floats weight = exp2Softmax((load(weights + j) - best) * log2e);
      store(weights + j, weight);
      added += weight;
    }
    const float total = sum(added);
    addWeightedRows(output[query], weights, values.from(begin), count, head.width);
    for (int i = 0; i < head.width; i++) output[query][i] /= total;
    logSumExp[head.row(query)] = best * log2e + log(splat(total))[0] * log2e;
  }
}

}  // namespace mm::MM_ISA
