// LeakyAverage and LeakyKeys: ȳ_t = a ȳ_{t-1} + (1 - a) u_t with a = e^{-rate} per head, in one pass along time for each
// sequence and head; keys are then scale · ȳ/‖ȳ‖. The gradient runs backwards:
//
//   g_t = dȳ_t + a g_{t+1},   du_t = (1 - a) g_t,   da = Σ_t g_t·(ȳ_{t-1} - u_t),   d rate = -a da.
#include <cmath>
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../threads.h"
#include "heads.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

/** ȳ_t in place of ȳ_{t-1}, for `lanes` features. */
MM_INLINE Floats leak(Floats state, Floats input, float decay, float gain) { return decay * state + gain * input; }

/** 1 - e^{-rate} without cancellation, and e^{-rate}. */
struct Leak {
  float decay, gain;
  explicit Leak(float rate) : decay(std::exp(-rate)), gain(-std::expm1(-rate)) {}
};

/** The averages of one sequence and head, densely [time][width]. */
void averages(const float* u, int64_t stride, int64_t time, int64_t width, Leak a, float* states) {
  for (int64_t t = 0; t < time; t++, u += stride, states += width) {
    for (int64_t c = 0; c < width; c += lanes) {
      const Floats before = t == 0 ? Floats{} : loadFirst(states - width + c, width - c);
      storeFirst(states + c, leak(before, loadFirst(u + c, width - c), a.decay, a.gain), width - c);
    }
  }
}

/**
 * From stateGradients dȳ [time][width] (overwritten by g) to du, and d rate as result. `states` may be any rows ȳ.
 */
double leakBackward(const float* u, int64_t stride, int64_t time, int64_t width, Leak a, const float* states,
                    int64_t stateStride, float* stateGradients, int64_t gradientStride, float* du) {
  double decayGradient = 0;
  for (int64_t t = time - 1; t >= 0; t--) {
    Floats products = {};
    for (int64_t c = 0; c < width; c += lanes) {
      const int64_t left = width - c;
      float* g = stateGradients + t * gradientStride + c;
      const Floats later = t + 1 < time ? loadFirst(g + gradientStride, left) : Floats{};
      const Floats gradient = loadFirst(g, left) + a.decay * later;
      storeFirst(g, gradient, left);
      storeFirst(du + t * stride + c, a.gain * gradient, left);
      const Floats before = t > 0 ? loadFirst(states + (t - 1) * stateStride + c, left) : Floats{};
      products = fma(gradient, before - loadFirst(u + t * stride + c, left), products);
    }
    decayGradient += sum(products);
  }
  return -a.decay * decayGradient;
}

}  // namespace

static void leakyAverage(const float* u, const float* rate, float* y, int64_t batch, int64_t time, int64_t heads,
                         int64_t width) {
  const int64_t stride = heads * width;
  parallelFor(batch * heads, [&](int64_t task, int) {
    const int64_t start = task / heads * time * stride + task % heads * width;
    const Leak a(rate[task % heads]);
    for (int64_t t = 0; t < time; t++) {
      for (int64_t c = 0; c < width; c += lanes) {
        const int64_t at = start + t * stride + c, left = width - c;
        const Floats before = t == 0 ? Floats{} : loadFirst(y + at - stride, left);
        storeFirst(y + at, leak(before, loadFirst(u + at, left), a.decay, a.gain), left);
      }
    }
  });
}
MM_KERNEL(leakyAverage)

static void leakyAverageGrad(const float* u, const float* rate, const float* average, const float* dy, float* du,
                             float* dRate, int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width;
  Scratch shared(0);
  auto* rateParts = shared.take<double>(batch * heads);
  parallelFor(batch * heads, [&](int64_t task, int thread) {
    const int64_t start = task / heads * time * stride + task % heads * width;
    Scratch scratch(thread);
    float* gradients = scratch.floats(time * width);
    for (int64_t t = 0; t < time; t++) std::memcpy(gradients + t * width, dy + start + t * stride, width * sizeof(float));
    rateParts[task] = leakBackward(u + start, stride, time, width, Leak(rate[task % heads]), average + start, stride,
                                   gradients, width, du + start);
  });
  sumHeads(rateParts, batch, heads, dRate);
}
MM_KERNEL(leakyAverageGrad)

/** One token more: state = decay·state + gain·u. */
static void advance(float* state, const float* u, const Leak& a, int64_t width) {
  for (int64_t c = 0; c < width; c += lanes) {
    const int64_t left = width - c;
    storeFirst(state + c, leak(loadFirst(state + c, left), loadFirst(u + c, left), a.decay, a.gain), left);
  }
}

static void leakyKeys(const float* u, const float* rate, const float* scale, float* keys, float* norm, int64_t batch,
                      int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width;
  parallelFor(batch * heads, [&](int64_t task, int thread) {
    const int64_t b = task / heads, h = task % heads, start = b * time * stride + h * width;
    Scratch scratch(thread);
    float* state = scratch.floats(width);
    std::memset(state, 0, width * sizeof(float));
    const Leak a(rate[h]);
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = start + t * stride;
      advance(state, u + at, a, width);
      norm[(b * time + t) * heads + h] = writeScaledUnit(state, width, scale[h], keys + at);
    }
  });
}
MM_KERNEL(leakyKeys)

/** Keys that go on from `before` (null: from zero); `after` is where they end. */
static void advanceKeys(const float* u, const float* rate, const float* scale, const float* before, float* keys,
                        float* after, int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width;
  parallelRanges(batch * heads, rowGrain(time * width), [&](int64_t first, int64_t end, int) {
    for (int64_t task = first; task < end; task++) {
      const int64_t h = task % heads, start = task / heads * time * stride + h * width;
      float* state = after + task * width;
      if (before == nullptr) std::memset(state, 0, width * sizeof(float));
      else std::memcpy(state, before + task * width, width * sizeof(float));
      const Leak a(rate[h]);
      for (int64_t t = 0; t < time; t++) {
        const int64_t at = start + t * stride;
        advance(state, u + at, a, width);
        writeScaledUnit(state, width, scale[h], keys + at);
      }
    }
  });
}
MM_KERNEL(advanceKeys)

static void leakyKeysGrad(const float* u, const float* rate, const float* scale, const float* norm, const float* dy,
                          float* du, float* dRate, float* dScale, int64_t batch, int64_t time, int64_t heads,
                          int64_t width) {
  const int64_t stride = heads * width;
  Scratch shared(0);
  auto* rateParts = shared.take<double>(batch * heads);
  auto* scaleParts = shared.take<double>(batch * heads);
  parallelFor(batch * heads, [&](int64_t task, int thread) {
    const int64_t b = task / heads, h = task % heads, start = b * time * stride + h * width;
    Scratch scratch(thread);
    float* states = scratch.floats(time * width);
    float* gradients = scratch.floats(time * width);
    const Leak a(rate[h]);
    averages(u + start, stride, time, width, a, states);
    double scaleGradient = 0;
    for (int64_t t = 0; t < time; t++) {
      scaleGradient += scaledUnitGradient(states + t * width, width, norm[(b * time + t) * heads + h], scale[h],
                                          dy + start + t * stride, gradients + t * width);
    }
    scaleParts[task] = scaleGradient;
    rateParts[task] =
        leakBackward(u + start, stride, time, width, a, states, width, gradients, width, du + start);
  });
  sumHeads(rateParts, batch, heads, dRate);
  sumHeads(scaleParts, batch, heads, dScale);
}
MM_KERNEL(leakyKeysGrad)

}  // namespace mm::MM_ISA
