// The reads of memory-read.h for heads of few features, in fp32 and without dropout. There the products are so thin that
// score tiles would be written and read more than worked on; here everything of a pair of query and key stays in
// registers: one vector of queries meets one key after the other.
#pragma once
#include "memory-read.h"

namespace mm::MM_ISA {

/** Up to this many features per head. */
constexpr int mostNarrow = 4;
/** Keys whose gradients are summed at a time: lane by lane, in the first-level cache. */
constexpr int narrowChunk = 48;

inline bool isNarrow(const HeadRead& head) {
  return head.width <= mostNarrow && !head.bf16 && head.dropout.threshold == 0;
}

namespace narrow {
using read::lowestMaximum;
using read::lowestScore;
using read::unreadableLogSumExp;

/** Rows of `Width` numbers side by side, times a factor. */
template <int Width>
float* pack(Rows<const float> rows, int count, float factor, Scratch& scratch) {
  float* packed = scratch.floats(int64_t{count} * Width);
  for (int row = 0; row < count; row++)
    for (int c = 0; c < Width; c++) packed[row * Width + c] = factor * rows[row][c];
  return packed;
}

/** A vector for each feature, over queries first … first + lanes - 1; zeros beyond `end`. */
template <int Width>
void gather(Floats (&features)[Width], Rows<const float> rows, int first, int end) {
  float numbers[Width][lanes] = {};
  for (int i = 0; i < lanes && first + i < end; i++)
    for (int c = 0; c < Width; c++) numbers[c][i] = rows[first + i][c];
  for (int c = 0; c < Width; c++) features[c] = load(numbers[c]);
}

/** The features of queries first … as rows, times a factor for each; added to what is there if so wanted. */
template <int Width>
void scatter(const Floats (&features)[Width], Floats factor, Rows<float> rows, int first, int end, bool accumulate) {
  float numbers[Width][lanes];
  for (int c = 0; c < Width; c++) store(numbers[c], features[c] * factor);
  for (int i = 0; i < lanes && first + i < end; i++)
    for (int c = 0; c < Width; c++) rows[first + i][c] = numbers[c][i] + (accumulate ? rows[first + i][c] : 0.f);
}

template <int Width>
MM_INLINE Floats dot(const Floats (&features)[Width], const float* row) {
  Floats total = features[0] * row[0];
  MM_UNROLL for (int c = 1; c < Width; c++) total = fma(features[c], splat(row[c]), total);
  return total;
}

/** Which keys a vector of queries reads: begin … end - 1 of them at all, wholeBegin … wholeEnd - 1 in every lane. */
struct VectorWindow {
  int begin, end, wholeBegin, wholeEnd;
  Ints first, last;

  VectorWindow(const HeadRead& head, int query) {
    const ReadWindow& w = head.window;
    const int lastQuery = std::min(query + lanes, head.queryCount) - 1;
    begin = head.firstKey(query);
    end = head.endKey(lastQuery);
    const Ints position = laneIndex() + (query + w.offset);
    first = w.limited ? position - w.farthest : splat(INT32_MIN);
    last = w.limited ? position - w.nearest : splat(INT32_MAX);
    wholeBegin = head.firstKey(query + lanes - 1);
    wholeEnd = head.endKey(query);
  }
  MM_INLINE Ints readable(int key) const { return (first <= key) & (last >= key); }

  /** Calls body(key, cut) for keys from … to - 1 in reach; `cut`, a constant, where a lane may not read the key. */
  template <class Body>
  MM_INLINE void forKeys(int from, int to, Body&& body) const {
    from = std::max(from, begin);
    to = std::min(to, end);
    const int wholeFrom = std::clamp(wholeBegin, from, std::max(from, to));
    const int wholeTo = std::clamp(wholeEnd, wholeFrom, std::max(wholeFrom, to));
    for (int key = from; key < wholeFrom; key++) body(key, std::true_type{});
    for (int key = wholeFrom; key < wholeTo; key++) body(key, std::false_type{});
    for (int key = wholeTo; key < to; key++) body(key, std::true_type{});
  }
};

template <int Width>
void forward(const HeadRead& head, Rows<float> output, float* logSumExp, Scratch& scratch) {
  // Scores to base 2.
  const float* keys = pack<Width>(head.keys, head.keyCount, head.scale * log2e, scratch);
  const float* values = pack<Width>(head.values, head.keyCount, 1, scratch);
  for (int query = 0; query < head.queryCount; query += lanes) {
    const VectorWindow window(head, query);
    Floats q[Width];
    gather(q, head.queries, query, head.queryCount);
    Floats best = splat(lowestMaximum);
    window.forKeys(0, head.keyCount, [&](int key, auto cut) __attribute__((always_inline)) {
      Floats score = dot(q, keys + key * Width);
      if constexpr (cut) score = select(window.readable(key), score, splat(lowestScore));
      best = max(score, best);
    });
    Floats total = {}, sums[Width] = {};
    window.forKeys(0, head.keyCount, [&](int key, auto cut) __attribute__((always_inline)) {
      Floats weight = exp2Softmax(dot(q, keys + key * Width) - best);
      if constexpr (cut) weight = keep(window.readable(key), weight);
      total += weight;
      MM_UNROLL for (int c = 0; c < Width; c++) sums[c] = fma(weight, splat(values[key * Width + c]), sums[c]);
    });
    const Ints empty = total == 0.f;  // nothing was readable
    scatter(sums, select(empty, Floats{}, 1.f / total), output, query, head.queryCount, false);
    const Floats rowLogSumExp = select(empty, splat(unreadableLogSumExp), best + log(total) * log2e);
    for (int i = 0; i < lanes && query + i < head.queryCount; i++) logSumExp[head.row(query + i)] = rowLogSumExp[i];
  }
}

/** What of a vector of queries stays the same for all keys, and the sum for their gradient: [vector][Width][lanes]. */
template <int Width>
struct Queries {
  Floats q[Width], dy[Width], dq[Width], logSumExp, delta;
};

template <int Width>
void backward(const HeadRead& head, const HeadReadGradients& gradients, Scratch& scratch) {
  const float* keys = pack<Width>(head.keys, head.keyCount, head.scale * log2e, scratch);
  const float* values = pack<Width>(head.values, head.keyCount, 1, scratch);
  const int vectors = (head.queryCount + lanes - 1) / lanes;
  auto* all = scratch.take<Queries<Width>>(vectors);
  for (int v = 0; v < vectors; v++) {
    Queries<Width>& one = all[v];
    const int query = v * lanes;
    Floats y[Width];
    gather(one.q, head.queries, query, head.queryCount);
    gather(one.dy, gradients.outputGradient, query, head.queryCount);
    gather(y, gradients.output, query, head.queryCount);
    one.delta = Floats{};
    for (int c = 0; c < Width; c++) {
      one.dq[c] = Floats{};
      one.delta = fma(one.dy[c], y[c], one.delta);
    }
    for (int i = 0; i < lanes; i++)
      one.logSumExp[i] = query + i < head.queryCount ? gradients.logSumExp[head.row(query + i)] : unreadableLogSumExp;
  }

  Floats keySums[narrowChunk][Width], valueSums[narrowChunk][Width];
  for (int begin = 0; begin < head.keyCount; begin += narrowChunk) {
    const int end = std::min(begin + narrowChunk, head.keyCount);
    for (int key = 0; key < end - begin; key++)
      for (int c = 0; c < Width; c++) keySums[key][c] = valueSums[key][c] = Floats{};
    for (int v = 0; v < vectors; v++) {
      const VectorWindow window(head, v * lanes);
      if (window.end <= begin || window.begin >= end) continue;
      Queries<Width> one = all[v];
      window.forKeys(begin, end, [&](int key, auto cut) __attribute__((always_inline)) {
        Floats p = exp2Softmax(dot(one.q, keys + key * Width) - one.logSumExp);
        Floats product = dot(one.dy, values + key * Width);
        if constexpr (cut) {
          p = keep(window.readable(key), p);
          product = keep(window.readable(key), product);
        }
        const Floats ds = p * (product - one.delta);
        MM_UNROLL for (int c = 0; c < Width; c++) {
          one.dq[c] = fma(ds, splat(keys[key * Width + c]), one.dq[c]);
          keySums[key - begin][c] = fma(ds, one.q[c], keySums[key - begin][c]);
          valueSums[key - begin][c] = fma(p, one.dy[c], valueSums[key - begin][c]);
        }
      });
      for (int c = 0; c < Width; c++) all[v].dq[c] = one.dq[c];
    }
    for (int key = begin; key < end; key++)
      for (int c = 0; c < Width; c++) {
        gradients.keys[key][c] = head.scale * sum(keySums[key - begin][c]);
        gradients.values[key][c] = sum(valueSums[key - begin][c]);
      }
  }
  // The packed keys carry log2 e besides the scale.
  for (int v = 0; v < vectors; v++)
    scatter(all[v].dq, splat(ln2), gradients.queries, v * lanes, head.queryCount, gradients.tied);
}

/** body<Width>() for the width of the head. */
template <int Width = mostNarrow, class Body>
void withWidth(int width, Body&& body) {
  if (width == Width) return body.template operator()<Width>();
  if constexpr (Width > 1) withWidth<Width - 1>(width, body);
}

}  // namespace narrow

/** readForward for all queries of a narrow head. */
inline void readNarrowForward(const HeadRead& head, Rows<float> output, float* logSumExp, Scratch& scratch) {
  narrow::withWidth(head.width, [&]<int Width>() { narrow::forward<Width>(head, output, logSumExp, scratch); });
}

/** readBackward for all queries of a narrow head. */
inline void readNarrowBackward(const HeadRead& head, const HeadReadGradients& gradients, Scratch& scratch) {
  narrow::withWidth(head.width, [&]<int Width>() { narrow::backward<Width>(head, gradients, scratch); });
}

}  // namespace mm::MM_ISA
