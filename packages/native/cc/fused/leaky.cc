// LeakyAverage and LeakyKeys: ȳ_t = a ȳ_{t-1} + (1 - a) u_t with a = e^{-rate} per head, in one pass along time for each
// sequence and some of its heads; keys are then scale · ȳ/‖ȳ‖. The gradient runs backwards:
//
//   g_t = dȳ_t + a g_{t+1},   du_t = (1 - a) g_t,   da = Σ_t g_t·(ȳ_{t-1} - u_t),   d rate = -a da.
#include <cmath>
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../threads.h"
#include "heads.h"

namespace mm::MM_ISA {
namespace {

/** e^{-rate}, and 1 - e^{-rate} without cancellation, for each feature of some heads. */
struct Leaks {
  int64_t features;
  const float *decay, *gain;
  Leaks(const float* rate, Heads heads, int64_t width, Scratch& scratch)
      : features(heads.count() * width),
        decay(perFeature(heads, width, scratch, [&](int64_t h) { return std::exp(-rate[h]); })),
        gain(perFeature(heads, width, scratch, [&](int64_t h) { return -std::expm1(-rate[h]); })) {}
};

/** One token more: ȳ_t from ȳ_{t-1} and u_t. */
void advance(const float* before, const float* u, float* average, const Leaks& leaks) {
  const auto [features, decay, gain] = leaks;
  for (int64_t c = 0; c < features; c += lanes) {
    const int64_t left = features - c;
    const Floats kept = loadFirst(decay + c, left) * loadFirst(before + c, left);
    storeFirst(average + c, fma(loadFirst(gain + c, left), loadFirst(u + c, left), kept), left);
  }
}

/** One token back: from dȳ_t and g_{t+1} (`g`, overwritten by g_t) to du_t; adds g_t·(ȳ_{t-1} - u_t) to `products`. */
void retreat(const float* averageGradient, float* g, const float* before, const float* u, float* du, float* products,
             const Leaks& leaks) {
  const auto [features, decay, gain] = leaks;
  for (int64_t c = 0; c < features; c += lanes) {
    const int64_t left = features - c;
    const Floats gradient = fma(loadFirst(decay + c, left), loadFirst(g + c, left), loadFirst(averageGradient + c, left));
    const Floats change = loadFirst(before + c, left) - loadFirst(u + c, left);
    storeFirst(g + c, gradient, left);
    storeFirst(du + c, loadFirst(gain + c, left) * gradient, left);
    storeFirst(products + c, fma(gradient, change, loadFirst(products + c, left)), left);
  }
}

/** d rate of some heads, from the sums of g_t·(ȳ_{t-1} - u_t). */
void finishRates(double* total, const float* rate, Heads heads) {
  for (int64_t h = heads.first; h < heads.end; h++) total[h] *= -std::exp(-rate[h]);
}

/** Keys that go on from `before` and end with the average `after`, each [batch][features]; from zero, and no end, where null. */
void makeKeys(const float* u, const float* rate, const float* scale, const float* before, float* keys, float* norm,
              float* after, int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width, block = std::min(time, blockRows(3, stride));
  forHeads(batch, heads, batch * time * stride, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const Leaks leaks(rate, some, width, scratch);
    const int64_t features = leaks.features, size = features * sizeof(float), first = some.first * width;
    float* averages = zeros((block + 1) * features, scratch);  // of the token before a block, and of the block
    if (before != nullptr) std::memcpy(averages, before + b * stride + first, size);
    for (int64_t t = 0; t < time; t += block) {
      const int64_t rows = std::min(block, time - t), row = b * time + t;
      for (int64_t i = 0; i < rows; i++)
        advance(averages + i * features, u + (row + i) * stride + first, averages + (i + 1) * features, leaks);
      writeScaledUnits(averages + features, rows, some, width, scale, keys + row * stride,
                       norm == nullptr ? nullptr : norm + row * heads);
      std::memcpy(averages, averages + rows * features, size);
    }
    if (after != nullptr) std::memcpy(after + b * stride + first, averages, size);
  });
}

}  // namespace

static void leakyAverage(const float* u, const float* rate, float* y, int64_t batch, int64_t time, int64_t heads,
                         int64_t width) {
  const int64_t stride = heads * width;
  forHeads(batch, heads, batch * time * stride, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const Leaks leaks(rate, some, width, scratch);
    const float* before = zeros(leaks.features, scratch);
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = (b * time + t) * stride + some.first * width;
      advance(before, u + at, y + at, leaks);
      before = y + at;
    }
  });
}
MM_KERNEL(leakyAverage)

static void leakyAverageGrad(const float* u, const float* rate, const float* average, const float* dy, float* du,
                             float* dRate, int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width;
  Scratch shared(0);
  double* rateParts = zeros<double>(batch * heads, shared);
  forHeads(batch, heads, batch * time * stride, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const Leaks leaks(rate, some, width, scratch);
    const float* start = zeros(leaks.features, scratch);
    float *g = zeros(leaks.features, scratch), *products = zeros(leaks.features, scratch);
    for (int64_t t = time - 1; t >= 0; t--) {
      const int64_t at = (b * time + t) * stride + some.first * width;
      retreat(dy + at, g, t == 0 ? start : average + at - stride, u + at, du + at, products, leaks);
      if (t % rowsPerSum == 0) addFeatureSums(products, some, width, rateParts + b * heads);
    }
    finishRates(rateParts + b * heads, rate, some);
  });
  sumHeads(rateParts, batch, heads, dRate);
}
MM_KERNEL(leakyAverageGrad)

static void leakyKeys(const float* u, const float* rate, const float* scale, float* keys, float* norm, int64_t batch,
                      int64_t time, int64_t heads, int64_t width) {
  makeKeys(u, rate, scale, nullptr, keys, norm, nullptr, batch, time, heads, width);
}
MM_KERNEL(leakyKeys)

/** Keys that go on from `before` (null: from zero); `after` is where they end. */
static void advanceKeys(const float* u, const float* rate, const float* scale, const float* before, float* keys,
                        float* after, int64_t batch, int64_t time, int64_t heads, int64_t width) {
  makeKeys(u, rate, scale, before, keys, nullptr, after, batch, time, heads, width);
}
MM_KERNEL(advanceKeys)

static void leakyKeysGrad(const float* u, const float* rate, const float* scale, const float* norm, const float* dy,
                          float* du, float* dRate, float* dScale, int64_t batch, int64_t time, int64_t heads,
                          int64_t width) {
  const int64_t stride = heads * width, block = blockRows(3, stride);
  Scratch shared(0);
  double *rateParts = zeros<double>(batch * heads, shared), *scaleParts = zeros<double>(batch * heads, shared);
  forHeads(batch, heads, batch * time * stride, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const Leaks leaks(rate, some, width, scratch);
    const int64_t features = leaks.features;
    float* averages = scratch.floats((time + 1) * features) + features;  // from ȳ_{-1} = 0 on
    std::memset(averages - features, 0, features * sizeof(float));
    float *g = zeros(features, scratch), *products = zeros(features, scratch);
    float* averageGradients = scratch.floats(std::min(time, block) * features);
    const auto place = [&](int64_t t) { return (b * time + t) * stride + some.first * width; };
    for (int64_t t = 0; t < time; t++)
      advance(averages + (t - 1) * features, u + place(t), averages + t * features, leaks);
    for (int64_t end = time; end > 0;) {
      const int64_t begin = (end - 1) / block * block, row = b * time + begin;
      scaledUnitGradients(averages + begin * features, end - begin, some, width, norm + row * heads, scale,
                          dy + row * stride, averageGradients, scaleParts + b * heads);
      for (int64_t t = end - 1; t >= begin; t--) {
        retreat(averageGradients + (t - begin) * features, g, averages + (t - 1) * features, u + place(t), du + place(t),
                products, leaks);
        if (t % rowsPerSum == 0) addFeatureSums(products, some, width, rateParts + b * heads);
      }
      end = begin;
    }
    finishRates(rateParts + b * heads, rate, some);
  });
  sumHeads(rateParts, batch, heads, dRate);
  sumHeads(scaleParts, batch, heads, dScale);
}
MM_KERNEL(leakyKeysGrad)

}  // namespace mm::MM_ISA
