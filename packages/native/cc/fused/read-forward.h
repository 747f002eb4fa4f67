// The read of a memory (see memory-read.h) for one head.
#pragma once
#include "../memory.h"
#include "tile-softmax.h"

namespace mm::MM_ISA {

/**
 * Keys of a score tile of the read: few enough that the tile stays in the first-level cache between its passes. A
 * multiple of 8, the columns of one Philox block.
 */
constexpr int keysPerRead = lanes == 16 ? 224 : 96;

/** Keys and values of a head, packed chunk by chunk for readForward. */
template <bool Paired>
class PackedMemory {
 public:
  PackedMemory(const HeadRead& head, Scratch& scratch)
      : keyChunk_(read::roundUp(keysPerRead, panelRows) * stepCount<Paired>(head.width)),
        valueChunk_(read::roundUp(head.width, panelRows) * stepCount<Paired>(keysPerRead)) {
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
    if (read::sumsStayInRegisters) longestKey_ = read::longest(head.keys, head.keyCount, head.width);
  }
  float longestKey() const { return longestKey_; }
  const float* keys(int64_t chunk) const { return keys_ + chunk * keyChunk_; }
  const float* values(int64_t chunk) const { return values_ + chunk * valueChunk_; }

 private:
  int64_t keyChunk_, valueChunk_;
  float *keys_, *values_;
  float longestKey_ = 0;
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

    // |q·k| <= |q| |k|, and a little more where operands are rounded to bf16.
    const float longestQuery = boundsAreClose ? longest({head.queries[tile], head.queries.stride}, count, head.width) : 0;
    const float bound = 1.01f * __builtin_fabsf(head.scale) * memory.longestKey() * longestQuery;
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

}  // namespace mm::MM_ISA
