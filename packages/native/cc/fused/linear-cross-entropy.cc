// LinearCrossEntropy and LinearTokenLosses: -log softmax(scale · x·Wᵀ)[target] over chunks of tokens. Only the logits of
// one chunk exist at a time. The gradient of the logits, softmax - one-hot, is formed for a block of the vocabulary at a
// time, multiplied into dx and dWeight while it is in cache, and never stored whole either.
#include "../gemm.h"
#include "../kernel.h"
#include "softmax-exp.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

/** Logits of a chunk: enough tokens that reading the weights once per chunk costs little. */
constexpr int64_t chunkNumbers = 3 << 24;
constexpr int64_t fewestTokens = 64, mostTokens = 16384;
constexpr int64_t vocabularyBlock = 2048;

int64_t chunkTokens(int64_t tokens, int64_t vocabulary) {
  // A whole number of chunks of nearly equal size, so that the last one is not a remainder.
  const int64_t most = std::clamp(chunkNumbers / vocabulary, fewestTokens, mostTokens);
  const int64_t chunks = std::max<int64_t>(1, (tokens + most - 1) / most);
  return (tokens + chunks - 1) / chunks;
}

/** log Σ e^row. NaN where the row holds NaN. */
float logSumExp(const float* row, int64_t count) {
  // The maximum skips NaN, the sum does not.
  Floats best = splat(-3e38f);
  for (int64_t i = 0; i < count; i += lanes) {
    Floats v = loadFirst(row + i, count - i);
    if (count - i < lanes) v = select(firstLanes(count - i), v, splat(-3e38f));
    best = max(v, best);
  }
  const float largest = maximum(best);
  Floats total = {};
  for (int64_t i = 0; i < count; i += lanes) {
    Floats e = exp2Softmax((loadFirst(row + i, count - i) - largest) * log2e);
    if (count - i < lanes) e = keep(firstLanes(count - i), e);
    total += e;
  }
  return largest + __builtin_logf(sum(total));
}

struct Head {
  const float* x;
  const float* weight;
  const int32_t* targets;
  int64_t tokens, width, vocabulary;
  float scale;
  int32_t ignore;
  bool bf16;

  bool hasTarget(int64_t token) const {
    return targets[token] != ignore && targets[token] >= 0 && targets[token] < vocabulary;
  }

  /** Logits of a chunk [count, vocabulary], their log-sum-exp per token, and the losses. */
  void computeLosses(int64_t first, int64_t count, float* logits, float* normalisers, float* losses) const {
    gemm(count, vocabulary, width, rowMajor(x + first * width, width), transposed(rowMajor(weight, width)), logits,
         vocabulary, {.alpha = scale, .bf16 = bf16});
    parallelRanges(count, rowGrain(vocabulary), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        normalisers[i] = logSumExp(logits + i * vocabulary, vocabulary);
        losses[i] = hasTarget(first + i) ? normalisers[i] - logits[i * vocabulary + targets[first + i]] : 0;
      }
    });
  }

  /** block[count][columns] = softmax - one-hot for the vocabulary from `column` on; 0 where there is no target. */
  void differentiate(int64_t first, int64_t count, const float* logits, const float* normalisers, int64_t column,
                     int64_t columns, float* block) const {
    parallelRanges(count, rowGrain(columns), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        const float* from = logits + i * vocabulary + column;
        float* to = block + i * columns;
        const bool counts = hasTarget(first + i);
        for (int64_t c = 0; c < columns; c += lanes) {
          const Floats p = counts ? exp2Softmax((loadFirst(from + c, columns - c) - normalisers[i]) * log2e) : Floats{};
          storeFirst(to + c, p, columns - c);
        }
        const int64_t target = targets[first + i] - column;
        if (counts && target >= 0 && target < columns) to[target] -= 1;
      }
    });
  }
};

}  // namespace

/** dx and dWeight null: no gradients. Gives the mean loss. */
static void linearCrossEntropy(const float* x, const float* weight, const int32_t* targets, float* loss, float* dx,
                               float* dWeight, int64_t tokens, int64_t width, int64_t vocabulary, float scale,
                               int32_t ignore, bool bf16) {
  const Head head{x, weight, targets, tokens, width, vocabulary, scale, ignore, bf16};
  int64_t counted = 0;
  for (int64_t i = 0; i < tokens; i++) counted += targets[i] != ignore;
  const float share = 1 / static_cast<float>(std::max<int64_t>(1, counted));
  const int64_t chunk = chunkTokens(tokens, vocabulary), blockWidth = std::min(vocabulary, vocabularyBlock);
  Scratch scratch(0);
  float* logits = scratch.floats(chunk * vocabulary);
  float* normalisers = scratch.floats(chunk);
  float* losses = scratch.floats(chunk);
  float* block = scratch.floats(dx == nullptr ? 0 : chunk * blockWidth);
  double total = 0;
  for (int64_t first = 0; first < tokens; first += chunk) {
    const int64_t count = std::min(chunk, tokens - first);
    head.computeLosses(first, count, logits, normalisers, losses);
    for (int64_t i = 0; i < count; i++) total += losses[i];
    if (dx == nullptr) continue;
    for (int64_t column = 0; column < vocabulary; column += blockWidth) {
      const int64_t columns = std::min(blockWidth, vocabulary - column);
      head.differentiate(first, count, logits, normalisers, column, columns, block);
      const float alpha = scale * share;
      gemm(count, width, columns, rowMajor(block, columns), rowMajor(weight + column * width, width), dx + first * width,
           width, {.alpha = alpha, .accumulate = column > 0, .bf16 = bf16});
      gemm(columns, width, count, transposed(rowMajor(block, columns)), rowMajor(x + first * width, width),
           dWeight + column * width, width, {.alpha = alpha, .accumulate = first > 0, .bf16 = bf16});
    }
  }
  *loss = static_cast<float>(total * share);
}
MM_KERNEL(linearCrossEntropy)

static void linearTokenLosses(const float* x, const float* weight, const int32_t* targets, float* losses,
                              int64_t tokens, int64_t width, int64_t vocabulary, float scale, int32_t ignore,
                              bool bf16) {
  const Head head{x, weight, targets, tokens, width, vocabulary, scale, ignore, bf16};
  const int64_t chunk = chunkTokens(tokens, vocabulary);
  Scratch scratch(0);
  float* logits = scratch.floats(chunk * vocabulary);
  float* normalisers = scratch.floats(chunk);
  for (int64_t first = 0; first < tokens; first += chunk)
    head.computeLosses(first, std::min(chunk, tokens - first), logits, normalisers, losses + first);
}
MM_KERNEL(linearTokenLosses)

/** y = factor · x, the factor in memory (the gradient of the loss). */
static void scaleByNumber(const float* x, const float* factor, float* y, int64_t count) {
  parallelRanges(count, elementwiseGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i += lanes) storeFirst(y + i, loadFirst(x + i, end - i) * *factor, end - i);
  });
}
MM_KERNEL(scaleByNumber)

}  // namespace mm::MM_ISA
