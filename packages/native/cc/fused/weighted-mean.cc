// WeightedMean (RWKV): per channel a mean of the values so far over [batch, time, channels],
//
//   y_t = (Σ_{s<t} e^{k_s ± (t-1-s) w} v_s + e^{u+k_t} v_t) / (the same with 1 for v),   + when weights grow with age
//
// Sums are kept relative to p, the running maximum of their exponents: a_t = e^{p_{t-1}-ω-p_t} a_{t-1} + e^{κ_t-p_t} v_t,
// b_t likewise. Shrinking: κ = k, ω = w. Growing: κ_t = k_t - t w, ω = 0, as all weights of a row share e^{(t-1) w}.
// A task follows `lanes` channels of a sequence.
//
// Gradient: maxima cancel in the quotient and count as constants; what remains is that of the sums, backwards in time. A
// task computes its sums again; those over sequences (dDecay, dFirst) are added in their order.
#include "../kernel.h"
#include "../memory.h"
#include "../simd.h"
#include "../threads.h"
#include "../vector-math.h"

namespace mm::MM_ISA {
namespace {
#include "weighted-mean-step.h"
}  // namespace

static void weightedMean(const float* keys, const float* values, const float* decay, const float* first, float* y,
                         int64_t batch, int64_t time, int64_t channels, bool growing) {
  const int64_t slices = (channels + lanes - 1) / lanes;
  parallelFor(batch * slices, [&](int64_t task, int) {
    const int64_t c = task % slices * lanes, left = channels - c;
    const Rates rates(loadFirst(decay + c, left), loadFirst(first + c, left), growing);
    Sums sums;
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = (task / slices * time + t) * channels + c;
      const Floats exponent = rates.exponent(loadFirst(keys + at, left), t), value = loadFirst(values + at, left);
      const Shares now(sums.exponent, exponent + rates.own);
      storeFirst(y + at, (now.a * sums.numerator + now.b * value) / (now.a * sums.denominator + now.b), left);
      sums.take(exponent, value, rates.forget);
    }
  });
}
MM_KERNEL(weightedMean)

static void weightedMeanGrad(const float* keys, const float* values, const float* decay, const float* first,
                             const float* dy, float* dKeys, float* dValues, float* dDecay, float* dFirst, int64_t batch,
                             int64_t time, int64_t channels, bool growing) {
  const int64_t slices = (channels + lanes - 1) / lanes;
  Scratch shared(0);
  float *decayParts = shared.floats(batch * channels), *firstParts = shared.floats(batch * channels);
  parallelFor(batch * slices, [&](int64_t task, int thread) {
    const int64_t b = task / slices, c = task % slices * lanes, left = channels - c;
    const Rates rates(loadFirst(decay + c, left), loadFirst(first + c, left), growing);
    Scratch scratch(thread);
    Sums* before = scratch.take<Sums>(time);  // the sums before each step
    Sums sums;
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = (b * time + t) * channels + c;
      before[t] = sums;
      sums.take(rates.exponent(loadFirst(keys + at, left), t), loadFirst(values + at, left), rates.forget);
    }
    MeanGradient changes;
    for (int64_t t = time - 1; t >= 0; t--) {
      const int64_t at = (b * time + t) * channels + c;
      const Floats exponent = rates.exponent(loadFirst(keys + at, left), t), value = loadFirst(values + at, left);
      const auto change = changes.take(before[t], rates, exponent, value, loadFirst(dy + at, left), t, growing);
      storeFirst(dKeys + at, change.key, left);
      storeFirst(dValues + at, change.value, left);
    }
    storeFirst(decayParts + b * channels + c, changes.decay, left);
    storeFirst(firstParts + b * channels + c, changes.first, left);
  });
  for (int64_t c = 0; c < channels; c += lanes) {
    Floats decayTotal = {}, firstTotal = {};
    for (int64_t b = 0; b < batch; b++) {
      decayTotal += loadFirst(decayParts + b * channels + c, channels - c);
      firstTotal += loadFirst(firstParts + b * channels + c, channels - c);
    }
    storeFirst(dDecay + c, decayTotal, channels - c);
    storeFirst(dFirst + c, firstTotal, channels - c);
  }
}
MM_KERNEL(weightedMeanGrad)

}  // namespace mm::MM_ISA
