// CausalRead and PersistentRead: the heads of memory-read.h shared among the threads.
#include "memory-read.h"

#include "../kernel.h"
#include "../threads.h"
#include "few-queries.h"
#include "narrow-read.h"

namespace mm::MM_ISA {
namespace {

/** Most queries that one task of the persistent memory takes: it packs all slots of its head for them. */
constexpr int forwardGroup = 2048;
/** Likewise for the gradient, where every further group adds a private sum of the slots' gradients. */
constexpr int backwardGroup = 2048;

/** Whether the queries of a head are read one by one, in fp32 and without dropout. */
bool isFew(const HeadRead& head) {
  return !head.bf16 && head.queryCount <= fewQueries && head.dropout.threshold == 0;
}

StoredRows<float> stored(Rows<const float> rows) { return {rows.data, rows.stride}; }

ReadWindow everything() { return {false, 0, 0, 0}; }

/** All heads of CausalRead: queries [batch, queryCount, heads·width], keys and values [batch, keyCount, heads·width]. */
struct CausalReadShape {
  int64_t batch, heads, queryCount, keyCount, width;
  ReadWindow window;
  float scale;
  DropoutMask dropout;
  bool bf16;

  int64_t stride() const { return heads * width; }
  int64_t queryStart(int64_t b, int64_t h) const { return b * queryCount * stride() + h * width; }
  int64_t keyStart(int64_t b, int64_t h) const { return b * keyCount * stride() + h * width; }
  HeadRead head(int64_t b, int64_t h, const float* queries, const float* keys, const float* values) const {
    const int64_t q = queryStart(b, h), k = keyStart(b, h);
    return {{queries + q, stride()},
            {keys + k, stride()},
            {values + k, stride()},
            static_cast<int>(queryCount),
            static_cast<int>(keyCount),
            static_cast<int>(width),
            scale,
            window,
            dropout,
            bf16,
            static_cast<int32_t>((b * heads + h) * queryCount),
            static_cast<int32_t>(queryCount),
            0};
  }
};

template <bool Paired>
void causalForward(const CausalReadShape& shape, const float* queries, const float* keys, const float* values,
                   float* output, float* logSumExp) {
  parallelFor(shape.batch * shape.heads, [&](int64_t task, int thread) {
    const int64_t b = task / shape.heads, h = task % shape.heads;
    Scratch scratch(thread);
    const HeadRead head = shape.head(b, h, queries, keys, values);
    const Rows<float> rows{output + shape.queryStart(b, h), shape.stride()};
    if (isFew(head)) return readFewForward(head, stored(head.keys), stored(head.values), rows, logSumExp, scratch);
    if (isNarrow(head)) return readNarrowForward(head, rows, logSumExp, scratch);
    const PackedMemory<Paired> memory(head, scratch);
    readForward(head, memory, 0, head.queryCount, rows, logSumExp, scratch);
  });
}

template <bool Paired>
void causalBackward(const CausalReadShape& shape, const float* queries, const float* keys, const float* values,
                    const float* output, const float* logSumExp, const float* outputGradient, float* queryGradient,
                    float* keyGradient, float* valueGradient) {
  const bool tied = queryGradient == nullptr;
  parallelFor(shape.batch * shape.heads, [&](int64_t task, int thread) {
    const int64_t b = task / shape.heads, h = task % shape.heads;
    const int64_t q = shape.queryStart(b, h), k = shape.keyStart(b, h), stride = shape.stride();
    Scratch scratch(thread);
    const HeadRead head = shape.head(b, h, queries, keys, values);
    const HeadReadGradients gradients{{output + q, stride},
                                      {outputGradient + q, stride},
                                      logSumExp,
                                      {tied ? keyGradient + k : queryGradient + q, stride},
                                      {keyGradient + k, stride},
                                      {valueGradient + k, stride},
                                      tied};
    if (isNarrow(head)) return readNarrowBackward(head, gradients, scratch);
    readBackward<Paired>(head, gradients, 0, head.queryCount, scratch);
  });
}

/** All heads of PersistentRead: keys [batch, time, heads·width], slots [heads, slots, width]. */
struct PersistentReadShape {
  int64_t batch, time, heads, slots, width;
  DropoutMask dropout;
  bool bf16;

  int64_t stride() const { return heads * width; }
  int64_t slotStart(int64_t h) const { return h * slots * width; }
  /** The queries of one head, over all sequences. */
  HeadRead head(int64_t h, const float* keys, const float* slotKeys, const float* slotValues) const {
    return {{keys + h * width, stride()},
            {slotKeys + slotStart(h), width},
            {slotValues + slotStart(h), width},
            static_cast<int>(batch * time),
            static_cast<int>(slots),
            static_cast<int>(width),
            1,
            everything(),
            dropout,
            bf16,
            static_cast<int32_t>(h * time),
            static_cast<int32_t>(time),
            static_cast<int32_t>(heads * time)};
  }
};

template <bool Paired>
void persistentForward(const PersistentReadShape& shape, const float* keys, const float* slotKeys,
                       const float* slotValues, float* output, float* logSumExp) {
  const int queries = static_cast<int>(shape.batch * shape.time);
  const int groups = (queries + forwardGroup - 1) / forwardGroup;
  parallelFor(shape.heads * groups, [&](int64_t task, int thread) {
    const int64_t h = task / groups;
    const int first = static_cast<int>(task % groups) * forwardGroup;
    Scratch scratch(thread);
    const HeadRead head = shape.head(h, keys, slotKeys, slotValues);
    const Rows<float> rows{output + h * shape.width, shape.stride()};
    if (isFew(head)) return readFewForward(head, stored(head.keys), stored(head.values), rows, logSumExp, scratch);
    const PackedMemory<Paired> memory(head, scratch);
    readForward(head, memory, first, std::min(queries, first + forwardGroup), rows, logSumExp, scratch);
  });
}

template <bool Paired>
void persistentBackward(const PersistentReadShape& shape, const float* keys, const float* slotKeys,
                        const float* slotValues, const float* output, const float* logSumExp,
                        const float* outputGradient, float* keyGradient, float* slotKeyGradient,
                        float* slotValueGradient) {
  const int queries = static_cast<int>(shape.batch * shape.time);
  const int groups = std::max(1, (queries + backwardGroup - 1) / backwardGroup);
  const int64_t slotNumbers = shape.heads * shape.slots * shape.width;
  // The first group writes into the results, the others into sums of their own, added below in order.
  Scratch shared(0);
  float* further = shared.floats((groups - 1) * 2 * slotNumbers);
  const auto slotKeySums = [&](int group) {
    return group == 0 ? slotKeyGradient : further + (group - 1) * 2 * slotNumbers;
  };
  const auto slotValueSums = [&](int group) {
    return group == 0 ? slotValueGradient : further + ((group - 1) * 2 + 1) * slotNumbers;
  };
  parallelFor(shape.heads * groups, [&](int64_t task, int thread) {
    const int64_t h = task / groups, stride = shape.stride();
    const int group = static_cast<int>(task % groups), first = group * backwardGroup;
    Scratch scratch(thread);
    readBackward<Paired>(shape.head(h, keys, slotKeys, slotValues),
                       {{output + h * shape.width, stride},
                        {outputGradient + h * shape.width, stride},
                        logSumExp,
                        {keyGradient + h * shape.width, stride},
                        {slotKeySums(group) + shape.slotStart(h), shape.width},
                        {slotValueSums(group) + shape.slotStart(h), shape.width},
                        false},
                       first, std::min(queries, first + backwardGroup), scratch);
  });
  if (groups == 1) return;
  parallelRanges(slotNumbers, elementwiseGrain / groups, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i += lanes) {
      Floats keySum = loadFirst(slotKeyGradient + i, end - i), valueSum = loadFirst(slotValueGradient + i, end - i);
      for (int group = 1; group < groups; group++) {
        keySum += loadFirst(slotKeySums(group) + i, end - i);
        valueSum += loadFirst(slotValueSums(group) + i, end - i);
      }
      storeFirst(slotKeyGradient + i, keySum, end - i);
      storeFirst(slotValueGradient + i, valueSum, end - i);
    }
  });
}

CausalReadShape causalShape(int64_t batch, int64_t heads, int64_t queryCount, int64_t keyCount, int64_t width,
                            int64_t nearest, int64_t farthest, int64_t offset, float scale, uint32_t key0, uint32_t key1,
                            uint32_t threshold, bool bf16) {
  const auto clamp = [](int64_t x) { return static_cast<int32_t>(std::clamp<int64_t>(x, -(1 << 29), 1 << 29)); };
  return {batch, heads, queryCount, keyCount, width,
          {true, clamp(offset), clamp(nearest), farthest < 0 ? 1 << 29 : clamp(farthest)},
          scale, {key0, key1, threshold}, bf16};
}

}  // namespace

static void causalRead(const float* queries, const float* keys, const float* values, float* output, float* logSumExp,
                       int64_t batch, int64_t heads, int64_t queryCount, int64_t keyCount, int64_t width,
                       int64_t nearest, int64_t farthest, int64_t offset, float scale, uint32_t key0, uint32_t key1,
                       uint32_t threshold, bool bf16) {
  const auto shape = causalShape(batch, heads, queryCount, keyCount, width, nearest, farthest, offset, scale, key0, key1,
                                 threshold, bf16);
  (bf16 ? causalForward<pairedBf16> : causalForward<false>)(shape, queries, keys, values, output, logSumExp);
}
MM_KERNEL(causalRead)

/** queryGradient null: queries and keys are one tensor, and keyGradient is the sum of both gradients. */
static void causalReadGrad(const float* queries, const float* keys, const float* values, const float* output,
                           const float* logSumExp, const float* outputGradient, float* queryGradient,
                           float* keyGradient, float* valueGradient, int64_t batch, int64_t heads, int64_t queryCount,
                           int64_t keyCount, int64_t width, int64_t nearest, int64_t farthest, int64_t offset,
                           float scale, uint32_t key0, uint32_t key1, uint32_t threshold, bool bf16) {
  const auto shape = causalShape(batch, heads, queryCount, keyCount, width, nearest, farthest, offset, scale, key0, key1,
                                 threshold, bf16);
  (bf16 ? causalBackward<pairedBf16> : causalBackward<false>)(shape, queries, keys, values, output, logSumExp, outputGradient,
                                                        queryGradient, keyGradient, valueGradient);
}
MM_KERNEL(causalReadGrad)

static void persistentRead(const float* keys, const float* slotKeys, const float* slotValues, float* output,
                           float* logSumExp, int64_t batch, int64_t time, int64_t heads, int64_t slots, int64_t width,
                           uint32_t key0, uint32_t key1, uint32_t threshold, bool bf16) {
  const PersistentReadShape shape{batch, time, heads, slots, width, {key0, key1, threshold}, bf16};
  (bf16 ? persistentForward<pairedBf16> : persistentForward<false>)(shape, keys, slotKeys, slotValues, output, logSumExp);
}
MM_KERNEL(persistentRead)

/** Slots in bf16, or in 8 bits with one factor for each slot; without dropout. */
static void packedPersistentRead(const float* keys, const void* slotKeys, const float* keyFactor,
                                 const void* slotValues, const float* valueFactor, float* output, float* logSumExp,
                                 int64_t batch, int64_t time, int64_t heads, int64_t slots, int64_t width, bool bytes) {
  const PersistentReadShape shape{batch, time, heads, slots, width, {}, false};
  withStored(slotKeys, bytes, [&]<class Number>(const Number* keyData) {
    const StoredRows<Number> allKeys{keyData, width, keyFactor};
    const StoredRows<Number> allValues{static_cast<const Number*>(slotValues), width, valueFactor};
    parallelFor(heads, [&](int64_t h, int thread) {
      Scratch scratch(thread);
      const Rows<float> rows{output + h * width, shape.stride()};
      const StoredRows<Number> headKeys = allKeys.from(h * slots), headValues = allValues.from(h * slots);
      HeadRead head = shape.head(0, keys + h * width, nullptr, nullptr);
      head.firstRow = static_cast<int32_t>(h * time);
      if (isFew(head)) return readFewForward(head, headKeys, headValues, rows, logSumExp, scratch);
      float* unpackedKeys = scratch.floats(slots * width);
      float* unpackedValues = scratch.floats(slots * width);
      for (int64_t p = 0; p < slots; p++) {
        unpackRow(headKeys[p], headKeys.factorOf(p), width, unpackedKeys + p * width);
        unpackRow(headValues[p], headValues.factorOf(p), width, unpackedValues + p * width);
      }
      head.keys = {unpackedKeys, width};
      head.values = {unpackedValues, width};
      const PackedMemory<false> memory(head, scratch);
      readForward(head, memory, 0, head.queryCount, rows, logSumExp, scratch);
    });
  });
}
MM_KERNEL(packedPersistentRead)

static void persistentReadGrad(const float* keys, const float* slotKeys, const float* slotValues, const float* output,
                               const float* logSumExp, const float* outputGradient, float* keyGradient,
                               float* slotKeyGradient, float* slotValueGradient, int64_t batch, int64_t time,
                               int64_t heads, int64_t slots, int64_t width, uint32_t key0, uint32_t key1,
                               uint32_t threshold, bool bf16) {
  const PersistentReadShape shape{batch, time, heads, slots, width, {key0, key1, threshold}, bf16};
  (bf16 ? persistentBackward<pairedBf16> : persistentBackward<false>)(shape, keys, slotKeys, slotValues, output, logSumExp,
                                                                outputGradient, keyGradient, slotKeyGradient,
                                                                slotValueGradient);
}
MM_KERNEL(persistentReadGrad)

}  // namespace mm::MM_ISA
