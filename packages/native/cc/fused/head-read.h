// What is read of a memory: one head with its queries, keys and values, wherever they lie, and who may read what.
#pragma once
#include <algorithm>
#include "../philox.h"

namespace mm::MM_ISA {

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

struct HeadReadGradients {
  Rows<const float> output, outputGradient;
  const float* logSumExp;
  Rows<float> queries, keys, values;
  bool tied;  // queries and keys are the same rows: the gradient of the queries is added to that of the keys
};

namespace read {

constexpr float lowestScore = -3e38f;   // of unreadable keys
constexpr float lowestMaximum = -1e38f; // a maximum to start from: e^(lowestScore - lowestMaximum) = 0
constexpr float unreadableLogSumExp = 1e30f; // of queries that read nothing: every weight recomputed from it is 0

}  // namespace read
}  // namespace mm::MM_ISA
