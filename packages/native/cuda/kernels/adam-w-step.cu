// AdamWStep (cc/fused/adam-w-step.cc): all parameters at once. The norm stays on the GPU, where the update reads it, so
// nothing waits for it.
#include <cmath>
#include <vector>

#include "../../cc/kernel.h"
#include "../launch.h"

namespace mm::cuda {

constexpr int64_t pieceNumbers = 1 << 14;

/** A part of one parameter, the work of one block. */
struct Piece {
  float *parameter, *first, *second;
  const float* gradient;
  int64_t count;
  bool decayed;
};

struct Update {
  float beta1, beta2, epsilon;
  float rate;                     // learning rate / (1 - beta1^t)
  float inverseSecondCorrection;  // 1 / √(1 - beta2^t)
  float kept;                     // 1 - learning rate · weight decay
  float clip;                     // 0: none
};

/** Sum over the threads of a block, at thread 0. */
MM_DEVICE double sumOverBlock(double x, double* shared) {
  for (int mask = warpLanes / 2; mask > 0; mask /= 2) x += shuffleXor(x, mask);
  if (laneOfWarp() == 0) shared[warpOfBlock()] = x;
  __syncthreads();
  double total = 0;
  for (int warp = 0; warp < static_cast<int>(blockDim.x) / warpLanes; warp++) total += shared[warp];
  return total;
}

__global__ void squaredNorms(const Piece* pieces, double* squares) {
  const Piece piece = pieces[blockIdx.x];
  float sum = 0;
  for (int64_t i = threadIdx.x; i < piece.count; i += blockDim.x) sum += piece.gradient[i] * piece.gradient[i];
  const double total = sumOverBlock(sum, sharedMemory<double>());
  if (threadIdx.x == 0) squares[blockIdx.x] = total;
}
__global__ void wholeNorm(const double* squares, int64_t count, float* norm) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += squares[i];
  const double total = sumOverBlock(sum, sharedMemory<double>());
  if (threadIdx.x == 0) *norm = static_cast<float>(sqrt(total));
}
__global__ void updatePieces(const Piece* pieces, const float* norm, Update update) {
  const Piece piece = pieces[blockIdx.x];
  const float ratio = update.clip > 0 ? update.clip / (*norm + 1e-6f) : 1;
  const float clipping = ratio > 1 ? 1 : ratio;  // NaN stays NaN
  for (int64_t i = threadIdx.x; i < piece.count; i += blockDim.x) {
    const float g = piece.gradient[i] * clipping;
    const float first = update.beta1 * piece.first[i] + (1 - update.beta1) * g;
    const float second = update.beta2 * piece.second[i] + (1 - update.beta2) * (g * g);
    const float weight = piece.parameter[i] * (piece.decayed ? update.kept : 1);
    piece.first[i] = first;
    piece.second[i] = second;
    piece.parameter[i] = weight - update.rate * first / (sqrtf(second) * update.inverseSecondCorrection + update.epsilon);
  }
}

/** addresses: of parameter, gradient, first and second moment of each parameter. Writes the norm before clipping. */
static void adamWStep(const uint64_t* addresses, const int32_t* sizes, const uint8_t* decayed, float* norm,
                      int64_t count, double learningRate, double beta1, double beta2, double epsilon,
                      double weightDecay, int64_t step, double clip) {
  std::vector<Piece> pieces;
  for (int64_t i = 0; i < count; i++) {
    const auto at = [&](int which, int64_t begin) { return reinterpret_cast<float*>(addresses[4 * i + which]) + begin; };
    for (int64_t begin = 0; begin < sizes[i]; begin += pieceNumbers)
      pieces.push_back({at(0, begin), at(2, begin), at(3, begin), at(1, begin),
                        std::min(pieceNumbers, sizes[i] - begin), decayed[i] != 0});
  }
  const auto pieceCount = static_cast<int64_t>(pieces.size());
  const DeviceScratch<Piece> table(std::max<int64_t>(1, pieceCount));
  const DeviceScratch<double> squares(std::max<int64_t>(1, pieceCount));
  upload(table, pieces.data(), pieces.size() * sizeof(Piece));
  const dim3 grid(static_cast<unsigned>(pieceCount));
  constexpr size_t shared = blockThreads / warpLanes * sizeof(double);
  const Update update{static_cast<float>(beta1),
                      static_cast<float>(beta2),
                      static_cast<float>(epsilon),
                      static_cast<float>(learningRate / (1 - std::pow(beta1, step))),
                      static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, step))),
                      static_cast<float>(1 - learningRate * weightDecay),
                      static_cast<float>(clip)};
  launch(squaredNorms, grid, dim3(blockThreads), shared, table, squares);
  launch(wholeNorm, dim3(1), dim3(blockThreads), shared, squares, pieceCount, norm);
  launch(updatePieces, grid, dim3(blockThreads), 0, table, norm, update);
}
MM_KERNEL(adamWStep)

}  // namespace mm::cuda
