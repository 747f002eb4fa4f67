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

/** e^{a-m} and e^{b-m} with m the larger of both: one of them is 1. */
struct Shares {
  Floats a, b, larger;
  MM_INLINE Shares(Floats first, Floats second) {
    const Floats difference = first - second;
    const Ints firstIsSmaller = difference < 0.f;
    const Floats smaller = exp(firstIsSmaller ? difference : -difference);
    a = firstIsSmaller ? smaller : splat(1.f);
    b = firstIsSmaller ? splat(1.f) : smaller;
    larger = firstIsSmaller ? second : first;
  }
};

/** What a channel has of its own: w where it acts on the sums (ω), on the exponents by position, and on the newest token. */
struct Rates {
  Floats forget, slope, own;
  MM_INLINE Rates(Floats decay, Floats first, bool growing)
      : forget(growing ? Floats{} : decay), slope(growing ? decay : Floats{}), own(growing ? first + decay : first) {}
  MM_INLINE Floats exponent(Floats key, int64_t t) const { return key - static_cast<float>(t) * slope; }
};

/** Numerator and denominator of the tokens so far, relative to e^{exponent}. */
struct Sums {
  Floats numerator = {}, denominator = {}, exponent = splat(-1e30f);

  /** The next token joins; returns the shares of old sums and new token. */
  MM_INLINE Shares take(Floats exponentOfToken, Floats value, Floats forget) {
    const Shares shares(exponent - forget, exponentOfToken);
    numerator = shares.a * numerator + shares.b * value;
    denominator = shares.a * denominator + shares.b;
    exponent = shares.larger;
    return shares;
  }
};

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
    Floats dNumerator = {}, dDenominator = {};  // of the sums after the step
    Floats decayChange = {}, firstChange = {};
    for (int64_t t = time - 1; t >= 0; t--) {
      const int64_t at = (b * time + t) * channels + c;
      const Floats exponent = rates.exponent(loadFirst(keys + at, left), t), value = loadFirst(values + at, left);
      const Sums old = before[t];
      Sums after = old;
      const Shares step = after.take(exponent, value, rates.forget);
      const Shares now(old.exponent, exponent + rates.own);
      const Floats inverse = 1.f / (now.a * old.denominator + now.b);
      const Floats mean = (now.a * old.numerator + now.b * value) * inverse;
      const Floats dTop = loadFirst(dy + at, left) * inverse, dBottom = -dTop * mean;
      const Floats dOwn = now.b * (dTop * value + dBottom);
      const Floats dWritten = step.b * (dNumerator * value + dDenominator);
      const Floats dKept = step.a * (dNumerator * old.numerator + dDenominator * old.denominator);
      storeFirst(dKeys + at, dOwn + dWritten, left);
      storeFirst(dValues + at, now.b * dTop + step.b * dNumerator, left);
      firstChange += dOwn;
      decayChange += growing ? dOwn - static_cast<float>(t) * (dOwn + dWritten) : -dKept;
      dNumerator = step.a * dNumerator + now.a * dTop;
      dDenominator = step.a * dDenominator + now.a * dBottom;
    }
    storeFirst(decayParts + b * channels + c, decayChange, left);
    storeFirst(firstParts + b * channels + c, firstChange, left);
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
