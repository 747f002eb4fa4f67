// LeakyAverage and LeakyKeys (cc/fused/leaky.cc). Time is cut into stretches, so that long sequences stay parallel: each
// stretch is averaged from zero, what it ends with is carried on from stretch to stretch, and then each is averaged again
// from where it starts. Backwards in time the same recurrence carries the gradient:
//
//   ȳ_t = a ȳ_{t-1} + (1 - a) u_t,   g_t = dȳ_t + a g_{t+1},   du_t = (1 - a) g_t,   d rate = -a Σ g_t·(ȳ_{t-1} - u_t)
#include "../heads.h"

namespace mm::cuda {

constexpr int64_t stretch = 64;

struct LeakShape {
  int64_t batch, time, heads, width;
  int64_t stride() const { return heads * width; }
  int64_t stretches() const { return divideUp(time, stretch); }
  int64_t states() const { return batch * stretches() * stride(); }
  int64_t count() const { return batch * time * stride(); }
};

/** The decay of one step, the weight of what comes in, and the decay of a whole stretch. */
struct Leak {
  float decay, gain, ofStretch;
  MM_DEVICE Leak(float rate, float incoming)
      : decay(expf(-rate)), gain(incoming == 0 ? -expm1f(-rate) : incoming), ofStretch(expf(-rate * stretch)) {}
};

/**
 * One thread for each stretch and feature: state ← decay·state + gain·x along the stretch, forwards or backwards in time.
 * Without `carried`, from zero, writing only where the stretch ends; with it, from what earlier stretches ended with.
 * `incoming` is the gain, 0 for 1 - a.
 */
template <bool Backwards>
__global__ void leakKernel(const float* x, const float* rate, const float* start, const float* carried, float* out,
                           float* ends, float incoming, LeakShape shape, int64_t stretches) {
  const int64_t stride = shape.heads * shape.width;
  forThread(shape.batch * stretches * stride, [&](int64_t i) {
    const int64_t c = i % stride, s = i / stride % stretches, b = i / stride / stretches;
    const Leak leak(rate[c / shape.width], incoming);
    float state = start == nullptr ? 0 : start[b * stride + c];
    if (carried != nullptr)
      for (int64_t before = 0; before < s; before++)
        state = leak.ofStretch * state + carried[(b * stretches + before) * stride + c];
    else state = 0;
    const int64_t first = s * stretch, end = shape.time < first + stretch ? shape.time : first + stretch;
    for (int64_t step = first; step < end; step++) {
      const int64_t t = Backwards ? shape.time - 1 - step : step, at = (b * shape.time + t) * stride + c;
      state = leak.decay * state + leak.gain * x[at];
      if (out != nullptr) out[at] = state;
    }
    if (ends != nullptr && carried == nullptr) ends[i] = state;
    if (ends != nullptr && carried != nullptr && s == stretches - 1) ends[b * stride + c] = state;
  });
}

/** out[t] = the recurrence at t, from `start` [batch][features] (null: from zero); `after`, if any, where it ends. */
template <bool Backwards>
static void leak(const float* x, const float* rate, const float* start, float incoming, float* out, float* after,
                 const LeakShape& shape) {
  const int64_t stretches = shape.stretches();
  if (stretches == 0) return;
  DeviceScratch<> carried(shape.states());
  const auto pass = [&](const float* from, float* to, float* ends) {
    launch(leakKernel<Backwards>, blocksFor(shape.states()), dim3(blockThreads), 0, x, rate, start, from, to, ends, incoming,
           shape, stretches);
  };
  pass(nullptr, nullptr, carried);
  pass(carried, out, after);
}

static void leakyAverage(const float* u, const float* rate, float* y, int64_t batch, int64_t time, int64_t heads,
                         int64_t width) {
  leak<false>(u, rate, nullptr, 0, y, nullptr, {batch, time, heads, width});
}
MM_KERNEL(leakyAverage)

/** g·(ȳ_{t-1} - u), times -a of the head, seen as [batch·time·width][heads]. */
struct RateTerm {
  const float *g, *average, *u, *rate;
  int64_t time, heads, width;
  MM_DEVICE float operator()(int64_t row, int64_t head) const {
    const int64_t token = row / width, at = (token * heads + head) * width + row % width;
    const float before = token % time == 0 ? 0 : average[at - heads * width];
    return -expf(-rate[head]) * g[at] * (before - u[at]);
  }
};
__global__ void inputGradient(const float* g, const float* rate, float* du, int64_t count, int64_t heads, int64_t width) {
  forThread(count, [&](int64_t i) { du[i] = -expm1f(-rate[i / width % heads]) * g[i]; });
}
static void leakyAverageGrad(const float* u, const float* rate, const float* average, const float* dy, float* du,
                             float* dRate, int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const LeakShape shape{batch, time, heads, width};
  DeviceScratch<> g(shape.count());
  leak<true>(dy, rate, nullptr, 1, g, nullptr, shape);
  sumRows(RateTerm{g, average, u, rate, time, heads, width}, dRate, batch * time * width, heads);
  launch(inputGradient, blocksFor(shape.count()), dim3(blockThreads), 0, g, rate, du, shape.count(), heads, width);
}
MM_KERNEL(leakyAverageGrad)

/** Turns averages into keys where they lie: scale · ȳ/‖ȳ‖, one warp for each head of each token. */
template <int PerLane>
__global__ void normaliseKernel(float* keys, const float* scale, float* norm, int64_t rows, int64_t heads, int64_t width) {
  forWarp(rows, [&](int64_t row) {
    HeadVector<PerLane> x;
    x.read(static_cast<int>(width), [&](int c) { return keys[row * width + c]; });
    const float length = x.norm(), by = scale[row % heads];
    x.divideBy(length);
    x.write(static_cast<int>(width), [&](int c, float unit) { keys[row * width + c] = unit * by; });
    if (norm != nullptr && laneOfWarp() == 0) norm[row] = length;
  });
}
static void normalise(float* keys, const float* scale, float* norm, const LeakShape& shape) {
  const int64_t rows = shape.batch * shape.time * shape.heads;
  withHeadWidth(shape.width, [&]<int PerLane>() {
    launch(normaliseKernel<PerLane>, warpBlocksFor(rows), dim3(blockThreads), 0, keys, scale, norm, rows, shape.heads,
           shape.width);
  });
}
static void leakyKeys(const float* u, const float* rate, const float* scale, float* keys, float* norm, int64_t batch,
                      int64_t time, int64_t heads, int64_t width) {
  const LeakShape shape{batch, time, heads, width};
  leak<false>(u, rate, nullptr, 0, keys, nullptr, shape);
  normalise(keys, scale, norm, shape);
}
MM_KERNEL(leakyKeys)

/** Keys that go on from `before` (null: from zero); `after` is where they end. */
static void advanceKeys(const float* u, const float* rate, const float* scale, const float* before, float* keys,
                        float* after, int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const LeakShape shape{batch, time, heads, width};
  leak<false>(u, rate, before, 0, keys, after, shape);
  normalise(keys, scale, nullptr, shape);
}
MM_KERNEL(advanceKeys)

/** dȳ of each token, and per token and head what it adds to the gradient of scale. */
template <int PerLane>
__global__ void normaliseGrad(const float* averages, const float* scale, const float* norm, const float* dy,
                              float* averageGradient, float* scaleParts, int64_t rows, int64_t heads, int64_t width) {
  forWarp(rows, [&](int64_t row) {
    HeadVector<PerLane> unit, gradient;
    unit.read(static_cast<int>(width), [&](int c) { return averages[row * width + c]; });
    unit.divideBy(norm[row]);
    gradient.read(static_cast<int>(width), [&](int c) { return dy[row * width + c]; });
    const float along = scaledUnitGradient(unit, norm[row], scale[row % heads], gradient);
    gradient.write(static_cast<int>(width), [&](int c, float x) { averageGradient[row * width + c] = x; });
    if (laneOfWarp() == 0) scaleParts[row] = along;
  });
}
static void leakyKeysGrad(const float* u, const float* rate, const float* scale, const float* norm, const float* dy,
                          float* du, float* dRate, float* dScale, int64_t batch, int64_t time, int64_t heads,
                          int64_t width) {
  const LeakShape shape{batch, time, heads, width};
  const int64_t rows = batch * time * heads;
  DeviceScratch<> averages(shape.count()), averageGradient(shape.count()), scaleParts(rows);
  leak<false>(u, rate, nullptr, 0, averages, nullptr, shape);
  withHeadWidth(width, [&]<int PerLane>() {
    launch(normaliseGrad<PerLane>, warpBlocksFor(rows), dim3(blockThreads), 0, averages, scale, norm, dy, averageGradient,
           scaleParts, rows, heads, width);
  });
  sumRows(MatrixTerm{scaleParts, heads}, dScale, batch * time, heads);
  leakyAverageGrad(u, rate, averages, averageGradient, du, dRate, batch, time, heads, width);
}
MM_KERNEL(leakyKeysGrad)

}  // namespace mm::cuda
