// The recurrences of the baselines, one thread for each channel of a sequence, which it follows along time:
// LinearRecurrence, WeightedMean (RWKV), SelectiveScan (Mamba), and CausalConvolution. Equations: the files of the same
// names in cc/fused.
#include "../../cc/kernel.h"
#include "../number.h"
#include "../rows.h"

namespace mm::cuda {

// ---- LinearRecurrence ---------------------------------------------------------------------------------------------------

/** h_t = decay_t ∘ h_{t-1} + input_t; initial may be null. */
__global__ void recur(const float* decay, const float* input, const float* initial, float* states, int64_t batch,
                      int64_t time, int64_t width, bool constantDecay) {
  forThread(batch * width, [&](int64_t i) {
    const int64_t b = i / width, c = i % width;
    float state = initial == nullptr ? 0 : initial[i];
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = (b * time + t) * width + c;
      state = decay[constantDecay ? c : at] * state + input[at];
      states[at] = state;
    }
  });
}
static void linearRecurrence(const float* decay, const float* input, const float* initial, float* states,
                             int64_t batch, int64_t time, int64_t width, bool constantDecay) {
  launch(recur, blocksFor(batch * width), dim3(blockThreads), 0, decay, input, initial, states, batch, time, width,
         constantDecay);
}
MM_KERNEL(linearRecurrence)

/** Of a constant decay `dDecay` is [batch][width], to be added up. */
__global__ void recurBackward(const float* decay, const float* states, const float* initial, const float* dy, float* dDecay,
                              float* dInput, float* dInitial, int64_t batch, int64_t time, int64_t width,
                              bool constantDecay) {
  forThread(batch * width, [&](int64_t i) {
    const int64_t b = i / width, c = i % width;
    float carried = 0, total = 0;  // decay_{t+1} ∘ g_{t+1}
    for (int64_t t = time - 1; t >= 0; t--) {
      const int64_t at = (b * time + t) * width + c;
      const float g = dy[at] + carried, before = t > 0 ? states[at - width] : initial == nullptr ? 0 : initial[i];
      dInput[at] = g;
      if (constantDecay) total += g * before;
      else dDecay[at] = g * before;
      carried = decay[constantDecay ? c : at] * g;
    }
    if (constantDecay) dDecay[i] = total;
    if (dInitial != nullptr) dInitial[i] = carried;
  });
}
/** initial and dInitial may be null. */
static void linearRecurrenceGrad(const float* decay, const float* states, const float* initial, const float* dy,
                                 float* dDecay, float* dInput, float* dInitial, int64_t batch, int64_t time,
                                 int64_t width, bool constantDecay) {
  DeviceScratch<> parts(std::max<int64_t>(1, constantDecay ? batch * width : 0));
  launch(recurBackward, blocksFor(batch * width), dim3(blockThreads), 0, decay, states, initial, dy,
         constantDecay ? static_cast<float*>(parts) : dDecay, dInput, dInitial, batch, time, width, constantDecay);
  if (constantDecay) launch(addParts<float>, blocksFor(width), dim3(blockThreads), 0, parts, dDecay, batch, width);
}
MM_KERNEL(linearRecurrenceGrad)

// ---- WeightedMean -------------------------------------------------------------------------------------------------------

namespace number {
#include "../../cc/fused/weighted-mean-step.h"
}
using number::MeanGradient;
using number::Rates;
using number::Shares;
using number::Sums;

__global__ void meanForward(const float* keys, const float* values, const float* decay, const float* first, float* y,
                            int64_t batch, int64_t time, int64_t channels, bool growing) {
  forThread(batch * channels, [&](int64_t i) {
    const int64_t b = i / channels, c = i % channels;
    const Rates rates(decay[c], first[c], growing);
    Sums sums;
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = (b * time + t) * channels + c;
      const float exponent = rates.exponent(keys[at], t), value = values[at];
      const Shares now(sums.exponent, exponent + rates.own);
      y[at] = (now.a * sums.numerator + now.b * value) / (now.a * sums.denominator + now.b);
      sums.take(exponent, value, rates.forget);
    }
  });
}
static void weightedMean(const float* keys, const float* values, const float* decay, const float* first, float* y,
                         int64_t batch, int64_t time, int64_t channels, bool growing) {
  launch(meanForward, blocksFor(batch * channels), dim3(blockThreads), 0, keys, values, decay, first, y, batch, time,
         channels, growing);
}
MM_KERNEL(weightedMean)

/** `before` [batch·time][channels] holds the sums before each step; the parts are [batch][channels]. */
__global__ void meanBackward(const float* keys, const float* values, const float* decay, const float* first,
                             const float* dy, float* dKeys, float* dValues, Sums* before, float* decayParts,
                             float* firstParts, int64_t batch, int64_t time, int64_t channels, bool growing) {
  forThread(batch * channels, [&](int64_t i) {
    const int64_t b = i / channels, c = i % channels;
    const Rates rates(decay[c], first[c], growing);
    Sums sums;
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = (b * time + t) * channels + c;
      before[at] = sums;
      sums.take(rates.exponent(keys[at], t), values[at], rates.forget);
    }
    MeanGradient changes;
    for (int64_t t = time - 1; t >= 0; t--) {
      const int64_t at = (b * time + t) * channels + c;
      const float exponent = rates.exponent(keys[at], t), value = values[at];
      const auto change = changes.take(before[at], rates, exponent, value, dy[at], t, growing);
      dKeys[at] = change.key;
      dValues[at] = change.value;
    }
    decayParts[i] = changes.decay;
    firstParts[i] = changes.first;
  });
}
static void weightedMeanGrad(const float* keys, const float* values, const float* decay, const float* first,
                             const float* dy, float* dKeys, float* dValues, float* dDecay, float* dFirst, int64_t batch,
                             int64_t time, int64_t channels, bool growing) {
  DeviceScratch<Sums> before(batch * time * channels);
  DeviceScratch<> decayParts(batch * channels), firstParts(batch * channels);
  launch(meanBackward, blocksFor(batch * channels), dim3(blockThreads), 0, keys, values, decay, first, dy, dKeys, dValues,
         before, decayParts, firstParts, batch, time, channels, growing);
  launch(addParts<float>, blocksFor(channels), dim3(blockThreads), 0, decayParts, dDecay, batch, channels);
  launch(addParts<float>, blocksFor(channels), dim3(blockThreads), 0, firstParts, dFirst, batch, channels);
}
MM_KERNEL(weightedMeanGrad)

// ---- SelectiveScan ------------------------------------------------------------------------------------------------------

/** x, delta [batch, time, channels]; dynamics [channels, size]; input and output [batch, time, size]. */
struct Scan {
  const float *x, *delta, *dynamics, *input, *output;
  int64_t batch, time, channels, size;
};

/** One number n of the state at a time: y (+)= h_t,n C_t,n; `states`, if any, keeps h_t,n. */
__global__ void scanForward(Scan scan, int64_t n, float* y, float* states) {
  forThread(scan.batch * scan.channels, [&](int64_t i) {
    const int64_t b = i / scan.channels, c = i % scan.channels;
    const float rate = scan.dynamics[c * scan.size + n];
    float state = 0;
    for (int64_t t = 0; t < scan.time; t++) {
      const int64_t step = b * scan.time + t, at = step * scan.channels + c;
      const float interval = scan.delta[at];
      state = expf(interval * rate) * state + interval * scan.x[at] * scan.input[step * scan.size + n];
      if (states != nullptr) states[at] = state;
      if (y != nullptr) y[at] = (n == 0 ? 0 : y[at]) + state * scan.output[step * scan.size + n];
    }
  });
}
static void selectiveScan(const float* x, const float* delta, const float* dynamics, const float* input,
                          const float* output, float* y, int64_t batch, int64_t time, int64_t channels, int64_t size) {
  const Scan scan{x, delta, dynamics, input, output, batch, time, channels, size};
  for (int64_t n = 0; n < size; n++)
    launch(scanForward, blocksFor(batch * channels), dim3(blockThreads), 0, scan, n, y, nullptr);
}
MM_KERNEL(selectiveScan)

/** Likewise backwards: adds to dx and dDelta, replaces states by what dOutput sums over channels and writes that of dInput. */
__global__ void scanBackward(Scan scan, int64_t n, const float* dy, float* dx, float* dDelta, float* states,
                             float* inputTerms, float* dynamicsParts) {
  forThread(scan.batch * scan.channels, [&](int64_t i) {
    const int64_t b = i / scan.channels, c = i % scan.channels;
    const float rate = scan.dynamics[c * scan.size + n];
    float carried = 0, total = 0;  // e^{delta_{t+1} A} ∘ g_{t+1}
    for (int64_t t = scan.time - 1; t >= 0; t--) {
      const int64_t step = b * scan.time + t, at = step * scan.channels + c;
      const float interval = scan.delta[at], x = scan.x[at], change = dy[at];
      const float input = scan.input[step * scan.size + n], decay = expf(interval * rate);
      const float g = change * scan.output[step * scan.size + n] + carried;
      const float dExponent = t == 0 ? 0 : g * states[at - scan.channels] * decay, dScaled = g * input;
      total += dExponent * interval;
      inputTerms[at] = g * interval * x;
      states[at] *= change;
      dx[at] = (n == 0 ? 0 : dx[at]) + dScaled * interval;
      dDelta[at] = (n == 0 ? 0 : dDelta[at]) + dScaled * x + dExponent * rate;
      carried = decay * g;
    }
    dynamicsParts[i * scan.size + n] = total;
  });
}
/** sums[step][n] = Σ over channels of terms[step][channel], a warp for each step. */
__global__ void sumChannels(const float* terms, float* sums, int64_t steps, int64_t channels, int64_t size, int64_t n) {
  forWarp(steps, [&](int64_t step) {
    float sum = 0;
    for (int64_t c = laneOfWarp(); c < channels; c += warpLanes) sum += terms[step * channels + c];
    sum = sumOverWarp(sum);
    if (laneOfWarp() == 0) sums[step * size + n] = sum;
  });
}
static void selectiveScanGrad(const float* x, const float* delta, const float* dynamics, const float* input,
                              const float* output, const float* dy, float* dx, float* dDelta, float* dDynamics,
                              float* dInput, float* dOutput, int64_t batch, int64_t time, int64_t channels,
                              int64_t size) {
  const Scan scan{x, delta, dynamics, input, output, batch, time, channels, size};
  const int64_t steps = batch * time, threads = batch * channels;
  DeviceScratch<> states(steps * channels), inputTerms(steps * channels), parts(threads * size);
  for (int64_t n = 0; n < size; n++) {
    launch(scanForward, blocksFor(threads), dim3(blockThreads), 0, scan, n, nullptr, states);
    launch(scanBackward, blocksFor(threads), dim3(blockThreads), 0, scan, n, dy, dx, dDelta, states, inputTerms, parts);
    launch(sumChannels, warpBlocksFor(steps), dim3(blockThreads), 0, inputTerms, dInput, steps, channels, size, n);
    launch(sumChannels, warpBlocksFor(steps), dim3(blockThreads), 0, states, dOutput, steps, channels, size, n);
  }
  launch(addParts<float>, blocksFor(channels * size), dim3(blockThreads), 0, parts, dDynamics, batch, channels * size);
}
MM_KERNEL(selectiveScanGrad)

// ---- CausalConvolution --------------------------------------------------------------------------------------------------

/** One thread for each number: y_t = Σ_l kernel_l ∘ u_{t-l}, or with `Backwards` Σ_l kernel_l ∘ u_{t+l}. */
template <bool Backwards>
__global__ void convolve(const float* u, const float* kernel, float* y, int64_t batch, int64_t time, int64_t channels,
                         int64_t taps) {
  forThread(batch * time * channels, [&](int64_t i) {
    const int64_t c = i % channels, t = i / channels % time;
    const int64_t reach = (Backwards ? time - 1 - t : t) + 1, count = reach < taps ? reach : taps;
    float sum = 0;
    for (int64_t l = 0; l < count; l++) sum += kernel[c * taps + l] * u[i + (Backwards ? l : -l) * channels];
    y[i] = sum;
  });
}
/** One thread for each tap: dKernel_l = Σ_{b,t} dy_t ∘ u_{t-l}. */
__global__ void tapGradient(const float* u, const float* dy, float* dKernel, int64_t batch, int64_t time, int64_t channels,
                            int64_t taps) {
  forThread(channels * taps, [&](int64_t i) {
    const int64_t c = i % channels, l = i / channels;
    double sum = 0;
    for (int64_t b = 0; b < batch; b++)
      for (int64_t t = l; t < time; t++) {
        const int64_t at = (b * time + t) * channels + c;
        sum += static_cast<double>(dy[at]) * u[at - l * channels];
      }
    dKernel[c * taps + l] = static_cast<float>(sum);
  });
}
static void causalConvolution(const float* u, const float* kernel, float* y, int64_t batch, int64_t time,
                              int64_t channels, int64_t taps) {
  launch(convolve<false>, blocksFor(batch * time * channels), dim3(blockThreads), 0, u, kernel, y, batch, time, channels, taps);
}
MM_KERNEL(causalConvolution)
static void causalConvolutionGrad(const float* u, const float* kernel, const float* dy, float* du, float* dKernel,
                                  int64_t batch, int64_t time, int64_t channels, int64_t taps) {
  launch(convolve<true>, blocksFor(batch * time * channels), dim3(blockThreads), 0, dy, kernel, du, batch, time, channels, taps);
  launch(tapGradient, blocksFor(channels * taps), dim3(blockThreads), 0, u, dy, dKernel, batch, time, channels, taps);
}
MM_KERNEL(causalConvolutionGrad)

}  // namespace mm::cuda
