// AdamWStep: the global norm of all gradients, then one step of every parameter in place (equations in @mm/ops).
#include <cmath>

#include "../kernel.h"
#include "../memory.h"
#include "../simd.h"
#include "../threads.h"

namespace mm::MM_ISA {
namespace {

/** A part of one parameter, the work of one task. */
struct Piece {
  float *parameter, *first, *second;
  const float* gradient;
  int64_t count;
  bool decayed;
};

double squaredNorm(const float* x, int64_t count) {
  Floats sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    MM_UNROLL for (int j = 0; j < 4; j++) {
      const Floats v = load(x + i + j * lanes);
      sums[j] = fma(v, v, sums[j]);
    }
  }
  for (; i < count; i += lanes) {
    const Floats v = loadFirst(x + i, count - i);
    sums[0] = fma(v, v, sums[0]);
  }
  return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

struct Step {
  float clipping;  // factor of the gradients
  float beta1, beta2, epsilon;
  float rate;                    // learning rate / (1 - beta1^t)
  float inverseSecondCorrection; // 1 / √(1 - beta2^t)
  float kept;                    // 1 - learning rate · weight decay

  MM_INLINE void take(const Piece& p, int64_t i) const {
    const int64_t left = p.count - i;
    const Floats g = loadFirst(p.gradient + i, left) * clipping;
    const Floats m = beta1 * loadFirst(p.first + i, left) + (1 - beta1) * g;
    const Floats s = beta2 * loadFirst(p.second + i, left) + (1 - beta2) * (g * g);
    const Floats weight = loadFirst(p.parameter + i, left) * (p.decayed ? kept : 1.f);
    storeFirst(p.first + i, m, left);
    storeFirst(p.second + i, s, left);
    storeFirst(p.parameter + i, weight - rate * m / (sqrt(s) * inverseSecondCorrection + epsilon), left);
  }
};

}  // namespace

/**
 * addresses: of parameter, gradient, first and second moment of each of `count` parameters, as 64-bit integers; sizes
 * and decayed one per parameter. Writes the norm before clipping; clip 0 means no clipping.
 */
static void adamWStep(const uint64_t* addresses, const int32_t* sizes, const uint8_t* decayed, float* norm,
                      int64_t count, double learningRate, double beta1, double beta2, double epsilon,
                      double weightDecay, int64_t step, double clip) {
  constexpr int64_t grain = 4 * elementwiseGrain;
  int64_t pieceCount = 0;
  for (int64_t i = 0; i < count; i++) pieceCount += (sizes[i] + grain - 1) / grain;
  Scratch scratch(0);
  Piece* pieces = scratch.take<Piece>(pieceCount);
  Piece* next = pieces;
  for (int64_t i = 0; i < count; i++) {
    const auto at = [&](int which, int64_t begin) { return reinterpret_cast<float*>(addresses[4 * i + which]) + begin; };
    for (int64_t begin = 0; begin < sizes[i]; begin += grain)
      *next++ = {at(0, begin), at(2, begin), at(3, begin), at(1, begin), std::min(grain, sizes[i] - begin), decayed[i] != 0};
  }

  auto* squares = scratch.take<double>(pieceCount);
  parallelFor(pieceCount, [&](int64_t i, int) { squares[i] = squaredNorm(pieces[i].gradient, pieces[i].count); });
  double total = 0;
  for (int64_t i = 0; i < pieceCount; i++) total += squares[i];
  const double length = std::sqrt(total);
  *norm = static_cast<float>(length);

  const double ratio = clip > 0 ? clip / (length + 1e-6) : 1;
  const Step update{static_cast<float>(ratio > 1 ? 1 : ratio),  // NaN stays NaN
                    static_cast<float>(beta1),
                    static_cast<float>(beta2),
                    static_cast<float>(epsilon),
                    static_cast<float>(learningRate / (1 - std::pow(beta1, step))),
                    static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, step))),
                    static_cast<float>(1 - learningRate * weightDecay)};
  parallelFor(pieceCount, [&](int64_t i, int) {
    for (int64_t j = 0; j < pieces[i].count; j += lanes) update.take(pieces[i], j);
  });
}
MM_KERNEL(adamWStep)

}  // namespace mm::MM_ISA
