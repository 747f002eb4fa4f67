// Embedding (cc/fused/embedding.cc). For the gradient a block owns some rows of the table and looks through all tokens
// for its own, so every row is summed in the order of the tokens and a run gives the same bits again.
#include "../../cc/kernel.h"
#include "../launch.h"

namespace mm::cuda {

__global__ void embeddingKernel(const float* weight, const int32_t* tokens, float* y, int64_t count, int64_t columns) {
  forThread(count * columns, [&](int64_t i) { y[i] = weight[tokens[i / columns] * columns + i % columns]; });
}
static void embedding(const float* weight, const int32_t* tokens, float* y, int64_t count, int64_t columns) {
  launch(embeddingKernel, blocksFor(count * columns), dim3(blockThreads), 0, weight, tokens, y, count, columns);
}
MM_KERNEL(embedding)

constexpr int64_t mostOwners = 2048;

/** sums[tokens[i]] += dy[i]; block b owns the tokens b, b + gridDim.x, … */
__global__ void addEmbeddingGradKernel(const int32_t* tokens, const float* dy, float* sums, int64_t count,
                                       int64_t columns) {
  int* found = sharedMemory<int>();        // which of a stretch of tokens are ours, in order
  int* foundBefore = found + blockThreads;  // by the warps before
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t first = 0; first < count; first += blockThreads) {
    const int64_t i = first + thread;
    const bool ours = i < count && tokens[i] % gridDim.x == blockIdx.x;
    // Place among the findings: those of earlier lanes, after those of earlier warps.
    int place = ours ? 1 : 0;
    for (int step = 1; step < warpLanes; step *= 2) {
      const int earlier = shuffleFrom(place, laneOfWarp() - step);
      if (laneOfWarp() >= step) place += earlier;
    }
    if (laneOfWarp() == warpLanes - 1) foundBefore[warpOfBlock()] = place;
    __syncthreads();
    int before = 0, all = 0;
    for (int warp = 0; warp < blockThreads / warpLanes; warp++) {
      if (warp == warpOfBlock()) before = all;
      all += foundBefore[warp];
    }
    if (ours) found[before + place - 1] = thread;
    __syncthreads();
    for (int64_t column = thread; column < columns; column += blockThreads)
      for (int f = 0; f < all; f++) {
        const int64_t at = first + found[f];
        sums[tokens[at] * columns + column] += dy[at * columns + column];
      }
    __syncthreads();
  }
}
static void addEmbeddingGradOf(const int32_t* tokens, const float* dy, float* sums, int64_t count, int64_t columns,
                               int64_t owners) {
  launch(addEmbeddingGradKernel, dim3(static_cast<unsigned>(owners)), dim3(blockThreads),
         (blockThreads + blockThreads / warpLanes) * sizeof(int), tokens, dy, sums, count, columns);
}
/** Adds row i of dy to row tokens[i] of the sums. */
static void addEmbeddingGrad(const int32_t* tokens, const float* dy, float* sums, int64_t count, int64_t columns) {
  addEmbeddingGradOf(tokens, dy, sums, count, columns, mostOwners);
}
MM_KERNEL(addEmbeddingGrad)

static void embeddingGrad(const int32_t* tokens, const float* dy, float* dWeight, int64_t count, int64_t columns,
                          int64_t vocabulary) {
  clear(dWeight, vocabulary * columns * sizeof(float));
  addEmbeddingGradOf(tokens, dy, dWeight, count, columns, std::clamp<int64_t>(vocabulary, 1, mostOwners));
}
MM_KERNEL(embeddingGrad)

}  // namespace mm::cuda
