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

/** One token more: state = decay·state + gain·u. */
void advance(float* state, const float* u, const Leak& a, int64_t width) {
  for (int64_t c = 0; c < width; c += lanes) {
    const int64_t left = width - c;
    storeFirst(state + c, leak(loadFirst(state + c, left), loadFirst(u + c, left), a.decay, a.gain), left);
  }
}

/**
 * One token back: from dȳ_t and g_{t+1} (`g`, overwritten by g_t) to du_t; gives g_t·(ȳ_{t-1} - u_t). `before` is ȳ_{t-1},
 * null for the first token.
 */
float retreat(const float* stateGradient, float* g, const float* before, const float* u, float* du, const Leak& a,
              int64_t width) {
  Floats products = {};
  for (int64_t c = 0; c < width; c += lanes) {
    const int64_t left = width - c;
    const Floats gradient = loadFirst(stateGradient + c, left) + a.decay * loadFirst(g + c, left);
    storeFirst(g + c, gradient, left);
    storeFirst(du + c, a.gain * gradient, left);
    const Floats earlier = before == nullptr ? Floats{} : loadFirst(before + c, left);
    products = fma(gradient, earlier - loadFirst(u + c, left), products);
  }
  return sum(products);
}

/** The leaks of some heads, in scratch memory. */
const Leak* leaksOf(const float* rate, Heads heads, Scratch& scratch) {
  Leak* leaks = scratch.take<Leak>(heads.count());
  for (int64_t h = heads.first; h < heads.end; h++) leaks[h - heads.first] = Leak(rate[h]);
  return leaks;
}

float* zeros(int64_t count, Scratch& scratch) {
  float* numbers = scratch.floats(count);
  std::memset(numbers, 0, count * sizeof(float));
  return numbers;
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
  forHeads(batch, heads, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const Leak* leaks = leaksOf(rate, some, scratch);
    float* g = zeros(some.count() * width, scratch);
    std::memset(rateParts + b * heads + some.first, 0, some.count() * sizeof(double));
    for (int64_t t = time - 1; t >= 0; t--) {
      for (int64_t h = some.first; h < some.end; h++) {
        const int64_t at = (b * time + t) * stride + h * width, own = h - some.first;
        const Leak& a = leaks[own];
        const float* before = t == 0 ? nullptr : average + at - stride;
        rateParts[b * heads + h] -= a.decay * retreat(dy + at, g + own * width, before, u + at, du + at, a, width);
      }
    }
  });
  sumHeads(rateParts, batch, heads, dRate);
}
MM_KERNEL(leakyAverageGrad)

static void leakyKeys(const float* u, const float* rate, const float* scale, float* keys, float* norm, int64_t batch,
                      int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width;
  forHeads(batch, heads, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const Leak* leaks = leaksOf(rate, some, scratch);
    float* states = zeros(some.count() * width, scratch);
    for (int64_t t = 0; t < time; t++) {
      for (int64_t h = some.first; h < some.end; h++) {
        const int64_t row = b * time + t, at = row * stride + h * width, own = h - some.first;
        advance(states + own * width, u + at, leaks[own], width);
        norm[row * heads + h] = writeScaledUnit(states + own * width, width, scale[h], keys + at);
      }
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
  forHeads(batch, heads, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const Leak* leaks = leaksOf(rate, some, scratch);
    const int64_t rowWidth = some.count() * width;
    float* states = zeros((time + 1) * rowWidth, scratch) + rowWidth;  // from ȳ_{-1} = 0 on
    float* g = zeros(rowWidth, scratch);
    float* stateGradient = scratch.floats(width);
    std::memset(rateParts + b * heads + some.first, 0, some.count() * sizeof(double));
    std::memset(scaleParts + b * heads + some.first, 0, some.count() * sizeof(double));
    for (int64_t t = 0; t < time; t++) {
      std::memcpy(states + t * rowWidth, states + (t - 1) * rowWidth, rowWidth * sizeof(float));
      for (int64_t h = some.first; h < some.end; h++) {
        const int64_t own = h - some.first;
        advance(states + t * rowWidth + own * width, u + (b * time + t) * stride + h * width, leaks[own], width);
      }
    }
    for (int64_t t = time - 1; t >= 0; t--) {
      for (int64_t h = some.first; h < some.end; h++) {
        const int64_t row = b * time + t, at = row * stride + h * width, own = h - some.first;
        const float* state = states + t * rowWidth + own * width;
        const Leak& a = leaks[own];
        scaleParts[b * heads + h] +=
            scaledUnitGradient(state, width, norm[row * heads + h], scale[h], dy + at, stateGradient);
        rateParts[b * heads + h] -=
            a.decay * retreat(stateGradient, g + own * width, state - rowWidth, u + at, du + at, a, width);
      }
    }
  });
  sumHeads(rateParts, batch, heads, dRate);
  sumHeads(scaleParts, batch, heads, dScale);
}
MM_KERNEL(leakyKeysGrad)

}  // namespace mm::MM_ISA
