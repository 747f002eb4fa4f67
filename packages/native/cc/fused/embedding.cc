// Embedding: rows of a table at the given tokens, and the sum of gradients per row.
#include <cstring>

#include "../kernel.h"
#include "../simd.h"
#include "row-blocks.h"

namespace mm::MM_ISA {

static void embedding(const float* weight, const int32_t* tokens, float* y, int64_t count, int64_t columns) {
  parallelRanges(count, rowGrain(columns), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++)
      std::memcpy(y + i * columns, weight + tokens[i] * columns, columns * sizeof(float));
  });
}
MM_KERNEL(embedding)

/** Adds row i of dy to row tokens[i] of the sums. */
static void addEmbeddingGrad(const int32_t* tokens, const float* dy, float* sums, int64_t count, int64_t columns) {
  // A task owns some columns of the whole table, so every row is summed in the order of the tokens.
  constexpr int64_t slice = 64;
  parallelRanges(columns, slice, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = 0; i < count; i++) {
      float* row = sums + tokens[i] * columns;
      for (int64_t c = begin; c < end; c += lanes)
        storeFirst(row + c, loadFirst(row + c, end - c) + loadFirst(dy + i * columns + c, end - c), end - c);
    }
  });
}
MM_KERNEL(addEmbeddingGrad)

static void embeddingGrad(const int32_t* tokens, const float* dy, float* dWeight, int64_t count, int64_t columns,
                          int64_t vocabulary) {
  parallelRanges(vocabulary * columns, 4 * elementwiseGrain, [&](int64_t begin, int64_t end, int) {
    std::memset(dWeight + begin, 0, (end - begin) * sizeof(float));
  });
  addEmbeddingGrad(tokens, dy, dWeight, count, columns);
}
MM_KERNEL(embeddingGrad)

}  // namespace mm::MM_ISA
