// CausalConvolution: y_t = Σ_{l ≤ t} kernel_l ∘ u_{t-l} over [batch, time, channels], the kernel as [channels, taps].
//
// A task follows `lanes` channels, whose inputs and taps it first copies next to each other; `tile` outputs at a time
// share each tap that is loaded. Rows of zeros before the first step (or behind the last) spare the tiles their edges.
//
// Gradient: du_s = Σ_l kernel_l ∘ dy_{s+l}, dKernel_l = Σ_{b,t} dy_t ∘ u_{t-l}.
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../simd.h"
#include "../threads.h"

namespace mm::MM_ISA {
namespace {

/** Outputs (or taps of a gradient) that are summed in registers together. */
constexpr int tile = 8;

/** Rows of `lanes` numbers with `tile` rows of zeros before and behind. */
struct Rows {
  float* data;
  Rows(Scratch& scratch, int64_t count) : data(scratch.floats((count + 2 * tile) * lanes) + tile * lanes) {
    std::memset(data - tile * lanes, 0, tile * lanes * sizeof(float));
    std::memset(data + count * lanes, 0, tile * lanes * sizeof(float));
  }
  float* at(int64_t row) const { return data + row * lanes; }
};

/** Copies `left` channels of each of `count` rows that are `stride` apart. */
void copyRows(const float* from, int64_t stride, int64_t left, int64_t count, const Rows& to) {
  for (int64_t t = 0; t < count; t++) store(to.at(t), loadFirst(from + t * stride, left));
}

/** Copies the taps of `left` channels, a row for each tap. */
void copyTaps(const float* kernel, int64_t taps, int64_t left, int64_t count, const Rows& to) {
  for (int64_t l = 0; l < count; l++) {
    for (int64_t c = 0; c < lanes; c++) to.at(l)[c] = c < left ? kernel[c * taps + l] : 0;
  }
}

}  // namespace

static void causalConvolution(const float* u, const float* kernel, float* y, int64_t batch, int64_t time,
                              int64_t channels, int64_t taps) {
  const int64_t slices = (channels + lanes - 1) / lanes, count = std::min(taps, time);
  parallelFor(batch * slices, [&](int64_t task, int thread) {
    const int64_t first = task % slices * lanes, left = channels - first;
    const int64_t start = task / slices * time * channels + first;
    Scratch scratch(thread);
    const Rows input(scratch, time), weights(scratch, count);
    copyRows(u + start, channels, left, time, input);
    copyTaps(kernel + first * taps, taps, left, count, weights);
    for (int64_t t = 0; t < time; t += tile) {
      Floats sums[tile] = {};
      for (int64_t l = 0, end = std::min(count, t + tile); l < end; l++) {
        const Floats weight = load(weights.at(l));
        const float* from = input.at(t - l);
        MM_UNROLL for (int i = 0; i < tile; i++) sums[i] = fma(weight, load(from + i * lanes), sums[i]);
      }
      const int64_t rows = std::min<int64_t>(tile, time - t);
      for (int64_t i = 0; i < rows; i++) storeFirst(y + start + (t + i) * channels, sums[i], left);
    }
  });
}
MM_KERNEL(causalConvolution)

static void causalConvolutionGrad(const float* u, const float* kernel, const float* dy, float* du, float* dKernel,
                                  int64_t batch, int64_t time, int64_t channels, int64_t taps) {
  const int64_t slices = (channels + lanes - 1) / lanes, count = std::min(taps, time);
  if (taps > count) std::memset(dKernel, 0, channels * taps * sizeof(float));
  parallelFor(slices, [&](int64_t slice, int thread) {
    const int64_t first = slice * lanes, left = channels - first;
    Scratch scratch(thread);
    const Rows input(scratch, time), cotangent(scratch, time), weights(scratch, count), changes(scratch, count);
    copyTaps(kernel + first * taps, taps, left, count, weights);
    std::memset(changes.data, 0, count * lanes * sizeof(float));
    for (int64_t b = 0; b < batch; b++) {
      const int64_t start = b * time * channels + first;
      copyRows(u + start, channels, left, time, input);
      copyRows(dy + start, channels, left, time, cotangent);
      for (int64_t s = 0; s < time; s += tile) {
        Floats sums[tile] = {};
        for (int64_t l = 0, end = std::min(count, time - s); l < end; l++) {
          const Floats weight = load(weights.at(l));
          const float* from = cotangent.at(s + l);
          MM_UNROLL for (int i = 0; i < tile; i++) sums[i] = fma(weight, load(from + i * lanes), sums[i]);
        }
        const int64_t rows = std::min<int64_t>(tile, time - s);
        for (int64_t i = 0; i < rows; i++) storeFirst(du + start + (s + i) * channels, sums[i], left);
      }
      for (int64_t l = 0; l < count; l += tile) {
        Floats sums[tile] = {};
        for (int64_t t = l; t < time; t++) {
          const Floats change = load(cotangent.at(t));
          const float* from = input.at(t - l);
          MM_UNROLL for (int i = 0; i < tile; i++) sums[i] = fma(change, load(from - i * lanes), sums[i]);
        }
        const int64_t rows = std::min<int64_t>(tile, count - l);
        for (int64_t i = 0; i < rows; i++) store(changes.at(l + i), load(changes.at(l + i)) + sums[i]);
      }
    }
    for (int64_t c = 0; c < std::min<int64_t>(lanes, left); c++) {
      for (int64_t l = 0; l < count; l++) dKernel[(first + c) * taps + l] = changes.at(l)[c];
    }
  });
}
MM_KERNEL(causalConvolutionGrad)

}  // namespace mm::MM_ISA
