// LinearCrossEntropy and LinearTokenLosses (cc/fused/linear-cross-entropy.cc): over chunks of tokens, whose logits alone
// exist; the gradient of the logits takes their place.
#include "../../cc/kernel.h"
#include "../gemm.h"
#include "../rows.h"

namespace mm::cuda {

/** Logits of a chunk: 256 MB. */
constexpr int64_t chunkNumbers = 1 << 26;
constexpr int64_t fewestTokens = 64;

static int64_t chunkTokens(int64_t tokens, int64_t vocabulary) {
  const int64_t most = std::max(chunkNumbers / vocabulary, fewestTokens);
  const int64_t chunks = std::max<int64_t>(1, divideUp(tokens, most));
  return divideUp(tokens, chunks);
}

struct Head {
  const float* x;
  const float* weight;
  const int32_t* targets;
  int64_t tokens, width, vocabulary;
  float scale;
  int32_t ignore;
  bool bf16;
};

MM_DEVICE bool isTarget(int32_t target, int32_t ignore, int64_t vocabulary) {
  return target != ignore && target >= 0 && target < vocabulary;
}

/** Maximum or sum over the threads of a block, for all of them. */
template <bool Largest>
MM_DEVICE float overBlock(float x, float* shared) {
  x = Largest ? largestOfWarp(x) : sumOverWarp(x);
  __syncthreads();  // others may still read what was shared before
  if (laneOfWarp() == 0) shared[warpOfBlock()] = x;
  __syncthreads();
  x = shared[0];
  for (int warp = 1; warp < blockThreads / warpLanes; warp++) x = Largest ? fmaxf(x, shared[warp]) : x + shared[warp];
  return x;
}

/** One block for each token: loss = log Σ e^logit - logit of the target, and the log-sum-exp. */
__global__ void tokenLosses(const float* logits, const int32_t* targets, float* normalisers, float* losses,
                            int64_t vocabulary, int32_t ignore) {
  float* shared = sharedMemory<float>();
  const float* row = logits + blockIdx.x * vocabulary;
  float largest = -3e38f, sum = 0;
  for (int64_t i = threadIdx.x; i < vocabulary; i += blockDim.x) largest = fmaxf(largest, row[i]);
  largest = overBlock<true>(largest, shared);
  for (int64_t i = threadIdx.x; i < vocabulary; i += blockDim.x) sum += exp2Fast((row[i] - largest) * log2e);
  sum = overBlock<false>(sum, shared);
  if (threadIdx.x != 0) return;
  const int32_t target = targets[blockIdx.x];
  const float normaliser = largest + logf(sum);
  normalisers[blockIdx.x] = normaliser;
  losses[blockIdx.x] = isTarget(target, ignore, vocabulary) ? normaliser - row[target] : 0;
}
/** logits ← softmax - one-hot; 0 where there is no target. */
__global__ void differentiate(float* logits, const int32_t* targets, const float* normalisers, int64_t vocabulary,
                              int32_t ignore) {
  float* row = logits + blockIdx.x * vocabulary;
  const int32_t target = targets[blockIdx.x];
  const bool counts = isTarget(target, ignore, vocabulary);
  const float normaliser = normalisers[blockIdx.x];
  for (int64_t i = threadIdx.x; i < vocabulary; i += blockDim.x)
    row[i] = counts ? exp2Fast((row[i] - normaliser) * log2e) - (i == target ? 1 : 0) : 0;
}
/** share = 1 / number of targets that are not ignored, on one block. */
__global__ void shareOfTargets(const int32_t* targets, int64_t tokens, int32_t ignore, float* share) {
  float* shared = sharedMemory<float>();
  float count = 0;
  for (int64_t i = threadIdx.x; i < tokens; i += blockDim.x) count += targets[i] != ignore ? 1 : 0;
  count = overBlock<false>(count, shared);
  if (threadIdx.x == 0) *share = 1 / fmaxf(1, count);
}
__global__ void meanLoss(const float* losses, int64_t tokens, const float* share, float* loss) {
  double* shared = sharedMemory<double>();
  double sum = 0;
  for (int64_t i = threadIdx.x; i < tokens; i += blockDim.x) sum += losses[i];
  shared[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < static_cast<int>(blockDim.x); i++) sum += shared[i];
  *loss = static_cast<float>(sum * *share);
}
__global__ void scaleInPlace(float* x, const float* factor, int64_t count) {
  const float by = *factor;
  forThread(count, [&](int64_t i) { x[i] *= by; });
}

/** Logits of tokens first … first + count - 1, their log-sum-exps and losses. */
static void computeLosses(const Head& head, int64_t first, int64_t count, float* logits, float* normalisers, float* losses) {
  gemm(count, head.vocabulary, head.width, rowMajor(head.x + first * head.width, head.width),
       transposed(rowMajor(head.weight, head.width)), logits, head.vocabulary, {.alpha = head.scale, .bf16 = head.bf16});
  launch(tokenLosses, dim3(static_cast<unsigned>(count)), dim3(blockThreads), blockThreads / warpLanes * sizeof(float), logits,
         head.targets + first, normalisers, losses, head.vocabulary, head.ignore);
}

/** dx and dWeight null: no gradients. Gives the mean loss. */
static void linearCrossEntropy(const float* x, const float* weight, const int32_t* targets, float* loss, float* dx,
                               float* dWeight, int64_t tokens, int64_t width, int64_t vocabulary, float scale,
                               int32_t ignore, bool bf16) {
  const Head head{x, weight, targets, tokens, width, vocabulary, scale, ignore, bf16};
  const int64_t chunk = std::max<int64_t>(1, chunkTokens(tokens, vocabulary));
  DeviceScratch<> logits(chunk * vocabulary), normalisers(chunk), losses(std::max<int64_t>(1, tokens)), share(1);
  launch(shareOfTargets, dim3(1), dim3(blockThreads), blockThreads / warpLanes * sizeof(float), targets, tokens, ignore, share);
  for (int64_t first = 0; first < tokens; first += chunk) {
    const int64_t count = std::min(chunk, tokens - first);
    computeLosses(head, first, count, logits, normalisers, losses + first);
    if (dx == nullptr) continue;
    launch(differentiate, dim3(static_cast<unsigned>(count)), dim3(blockThreads), 0, logits, targets + first, normalisers,
           vocabulary, ignore);
    const Matrix slopes = rowMajor(logits, vocabulary);
    gemm(count, width, vocabulary, slopes, rowMajor(weight, width), dx + first * width, width, {.alpha = scale, .bf16 = bf16});
    gemm(vocabulary, width, count, transposed(slopes), rowMajor(x + first * width, width), dWeight, width,
         {.alpha = scale, .accumulate = first > 0, .bf16 = bf16});
  }
  launch(meanLoss, dim3(1), dim3(blockThreads), blockThreads * sizeof(double), losses, tokens, share, loss);
  if (dx == nullptr) return;
  // How many targets count is known on the GPU alone.
  launch(scaleInPlace, blocksFor(tokens * width), dim3(blockThreads), 0, dx, share, tokens * width);
  launch(scaleInPlace, blocksFor(vocabulary * width), dim3(blockThreads), 0, dWeight, share, vocabulary * width);
}
MM_KERNEL(linearCrossEntropy)

static void linearTokenLosses(const float* x, const float* weight, const int32_t* targets, float* losses,
                              int64_t tokens, int64_t width, int64_t vocabulary, float scale, int32_t ignore,
                              bool bf16) {
  const Head head{x, weight, targets, tokens, width, vocabulary, scale, ignore, bf16};
  const int64_t chunk = std::max<int64_t>(1, chunkTokens(tokens, vocabulary));
  DeviceScratch<> logits(chunk * vocabulary), normalisers(chunk);
  for (int64_t first = 0; first < tokens; first += chunk)
    computeLosses(head, first, std::min(chunk, tokens - first), logits, normalisers, losses + first);
}
MM_KERNEL(linearTokenLosses)

}  // namespace mm::cuda
