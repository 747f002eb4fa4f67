#include "elementwise.h"

#include <algorithm>
#include <cstring>

#include "../memory.h"
#include "../threads.h"

namespace mm {
namespace {
const char* at(const void* start, int64_t index, size_t bytes) { return static_cast<const char*>(start) + index * bytes; }
char* at(void* start, int64_t index, size_t bytes) { return static_cast<char*>(start) + index * bytes; }

/** Elements that a repeated operand is written out for, so that a kernel needs one loop alone; they stay in cache. */
constexpr int64_t mostRepeats = 512;

/** A stretch of an operand: as it lies in memory, or one element again and again. */
class Operand {
 public:
  Operand(const void* start, bool repeats, int64_t count, size_t bytes)
      : start_(start), step_(repeats ? 0 : static_cast<int64_t>(bytes)) {
    if (!repeats) return;
    for (int64_t i = 0; i < std::min(count, mostRepeats); i++) std::memcpy(copies_ + i * bytes, start, bytes);
    start_ = copies_;
  }
  const void* at(int64_t index) const { return static_cast<const char*>(start_) + index * step_; }

 private:
  const void* start_;
  int64_t step_;
  alignas(alignment) char copies_[mostRepeats * sizeof(float)];
};

void combineSpan(CombineSpan span, const void* a, bool aRepeats, const void* b, bool bRepeats, size_t inBytes, void* out,
                 size_t outBytes, int64_t count) {
  if (!aRepeats && !bRepeats) return span(a, b, out, count);
  const Operand first(a, aRepeats, count, inBytes), second(b, bRepeats, count, inBytes);
  for (int64_t begin = 0; begin < count; begin += mostRepeats)
    span(first.at(begin), second.at(begin), at(out, begin, outBytes), std::min(mostRepeats, count - begin));
}

}  // namespace

void mapSpans(MapSpan span, const void* x, size_t xBytes, void* out, size_t outBytes, int64_t count, float p, float q) {
  parallelRanges(count, elementwiseGrain, [&](int64_t begin, int64_t end, int) {
    span(at(x, begin, xBytes), at(out, begin, outBytes), end - begin, p, q);
  });
}

void combineSpans(CombineSpan span, const void* a, const void* b, size_t inBytes, void* out, size_t outBytes,
                  const int32_t* layout, int64_t rank) {
  const int32_t *shape = layout, *aStrides = layout + rank, *bStrides = layout + 2 * rank;
  const int64_t inner = shape[rank - 1];
  const int aStep = aStrides[rank - 1], bStep = bStrides[rank - 1];
  int64_t outer = 1;
  for (int64_t axis = 0; axis + 1 < rank; axis++) outer *= shape[axis];
  const auto row = [&](int64_t index, int64_t begin, int64_t end) {
    int64_t aOffset = begin * aStep, bOffset = begin * bStep;
    for (int64_t axis = rank - 2, rest = index; axis >= 0; axis--) {
      const int64_t coordinate = rest % shape[axis];
      rest /= shape[axis];
      aOffset += coordinate * aStrides[axis];
      bOffset += coordinate * bStrides[axis];
    }
    combineSpan(span, at(a, aOffset, inBytes), aStep == 0, at(b, bOffset, inBytes), bStep == 0, inBytes,
                at(out, index * inner + begin, outBytes), outBytes, end - begin);
  };
  if (inner > elementwiseGrain) {
    const int64_t pieces = (inner + elementwiseGrain - 1) / elementwiseGrain;
    parallelFor(outer * pieces, [&](int64_t task, int) {
      const int64_t begin = task % pieces * elementwiseGrain;
      row(task / pieces, begin, std::min(inner, begin + elementwiseGrain));
    });
  } else {
    const int64_t rowsPerTask = std::max<int64_t>(1, elementwiseGrain / std::max<int64_t>(1, inner));
    parallelRanges(outer, rowsPerTask, [&](int64_t begin, int64_t end, int) {
      for (int64_t index = begin; index < end; index++) row(index, 0, inner);
    });
  }
}

void reduceSpans(ReduceSpan span, const void* x, void* out, size_t bytes, int64_t outer, int64_t length, int64_t inner) {
  if (outer * inner == 0) return;
  constexpr int64_t pieceElements = 32768;
  const int64_t depth = std::max<int64_t>(1, pieceElements / inner);  // of one piece
  const int64_t pieces = std::max<int64_t>(1, (length + depth - 1) / depth);
  if (pieces == 1) {
    const int64_t rowsPerTask = std::max<int64_t>(1, pieceElements / std::max<int64_t>(1, length * inner));
    parallelRanges(outer, rowsPerTask, [&](int64_t begin, int64_t end, int) {
      for (int64_t o = begin; o < end; o++) span(at(x, o * length * inner, bytes), length, inner, at(out, o * inner, bytes));
    });
    return;
  }
  Scratch scratch(0);
  char* partial = scratch.take<char>(outer * pieces * inner * static_cast<int64_t>(bytes));
  parallelFor(outer * pieces, [&](int64_t task, int) {
    const int64_t begin = task % pieces * depth;
    span(at(x, (task / pieces * length + begin) * inner, bytes), std::min(length, begin + depth) - begin, inner,
         at(partial, task * inner, bytes));
  });
  parallelFor(outer, [&](int64_t o, int) {
    span(at(partial, o * pieces * inner, bytes), pieces, inner, at(out, o * inner, bytes));
  });
}

}  // namespace mm
