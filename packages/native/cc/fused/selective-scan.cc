// SelectiveScan (Mamba): h_t = e^{delta_t A} ∘ h_{t-1} + (delta_t x_t) B_tᵀ, y_t = h_t C_t; x, delta [batch, time, channels],
// dynamics A [channels, size], input B and output C [batch, time, size]. States live in registers and cache alone: a task
// follows `lanes` channels of a sequence.
//
// Gradient: g_t = dy_t C_tᵀ + e^{delta_{t+1} A} ∘ g_{t+1} is that of what enters, g_t ∘ h_{t-1} that of the decay. A task
// computes the states of its channels again; sums over channels (dB, dC) stay within a sequence, sums over sequences (dA)
// are added in their order.
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../simd.h"
#include "../threads.h"
#include "../vector-math.h"

namespace mm::MM_ISA {
namespace {

/** A of `left` channels, a row for each number of the state. */
void copyDynamics(const float* dynamics, int64_t size, int64_t left, float* rows) {
  for (int64_t n = 0; n < size; n++) {
    for (int64_t c = 0; c < lanes; c++) rows[n * lanes + c] = c < left ? dynamics[c * size + n] : 0;
  }
}

}  // namespace

static void selectiveScan(const float* x, const float* delta, const float* dynamics, const float* input,
                          const float* output, float* y, int64_t batch, int64_t time, int64_t channels, int64_t size) {
  const int64_t slices = (channels + lanes - 1) / lanes;
  parallelFor(batch * slices, [&](int64_t task, int thread) {
    const int64_t b = task / slices, first = task % slices * lanes, left = channels - first;
    Scratch scratch(thread);
    float *rates = scratch.floats(size * lanes), *state = scratch.floats(size * lanes);
    copyDynamics(dynamics + first * size, size, left, rates);
    std::memset(state, 0, size * lanes * sizeof(float));
    for (int64_t t = 0; t < time; t++) {
      const int64_t step = b * time + t, at = step * channels + first;
      const Floats interval = loadFirst(delta + at, left), scaled = interval * loadFirst(x + at, left);
      Floats sum = {};
      for (int64_t n = 0; n < size; n++) {
        const Floats decay = exp(interval * load(rates + n * lanes));
        const Floats now = fma(decay, load(state + n * lanes), scaled * input[step * size + n]);
        store(state + n * lanes, now);
        sum = fma(now, splat(output[step * size + n]), sum);
      }
      storeFirst(y + at, sum, left);
    }
  });
}
MM_KERNEL(selectiveScan)

static void selectiveScanGrad(const float* x, const float* delta, const float* dynamics, const float* input,
                              const float* output, const float* dy, float* dx, float* dDelta, float* dDynamics,
                              float* dInput, float* dOutput, int64_t batch, int64_t time, int64_t channels,
                              int64_t size) {
  const int64_t slices = (channels + lanes - 1) / lanes, row = size * lanes;
  Scratch shared(0);
  float* parts = shared.floats(batch * slices * row);  // dA of each sequence
  parallelFor(batch, [&](int64_t b, int thread) {
    Scratch scratch(thread);
    float *rates = scratch.floats(row), *carried = scratch.floats(row);
    float* states = scratch.floats((time + 1) * row);  // the state before each step, and the last one
    float *inputSums = scratch.floats(time * row), *outputSums = scratch.floats(time * row);
    std::memset(inputSums, 0, time * row * sizeof(float));
    std::memset(outputSums, 0, time * row * sizeof(float));
    for (int64_t slice = 0; slice < slices; slice++) {
      const int64_t first = slice * lanes, left = channels - first;
      float* rateChanges = parts + (b * slices + slice) * row;
      copyDynamics(dynamics + first * size, size, left, rates);
      std::memset(states, 0, row * sizeof(float));
      std::memset(carried, 0, row * sizeof(float));
      std::memset(rateChanges, 0, row * sizeof(float));
      for (int64_t t = 0; t < time; t++) {
        const int64_t step = b * time + t, at = step * channels + first;
        const Floats interval = loadFirst(delta + at, left), scaled = interval * loadFirst(x + at, left);
        float* state = states + t * row;
        for (int64_t n = 0; n < size; n++) {
          const Floats decay = exp(interval * load(rates + n * lanes));
          store(state + row + n * lanes, fma(decay, load(state + n * lanes), scaled * input[step * size + n]));
        }
      }
      for (int64_t t = time - 1; t >= 0; t--) {
        const int64_t step = b * time + t, at = step * channels + first;
        const Floats interval = loadFirst(delta + at, left), from = loadFirst(x + at, left);
        const Floats scaled = interval * from, change = loadFirst(dy + at, left);
        Floats dInterval = {}, dScaled = {};
        for (int64_t n = 0; n < size; n++) {
          const int64_t k = n * lanes, place = t * row + k;
          const Floats rate = load(rates + k), decay = exp(interval * rate);
          const Floats g = fma(change, splat(output[step * size + n]), load(carried + k));
          const Floats dExponent = g * load(states + place) * decay;
          dInterval = fma(dExponent, rate, dInterval);
          dScaled = fma(g, splat(input[step * size + n]), dScaled);
          store(rateChanges + k, fma(dExponent, interval, load(rateChanges + k)));
          store(inputSums + place, fma(g, scaled, load(inputSums + place)));
          store(outputSums + place, fma(change, load(states + place + row), load(outputSums + place)));
          store(carried + k, decay * g);
        }
        storeFirst(dx + at, dScaled * interval, left);
        storeFirst(dDelta + at, fma(dScaled, from, dInterval), left);
      }
    }
    for (int64_t i = 0; i < time * size; i++) {
      dInput[b * time * size + i] = sum(load(inputSums + i * lanes));
      dOutput[b * time * size + i] = sum(load(outputSums + i * lanes));
    }
  });
  for (int64_t channel = 0; channel < channels; channel++) {
    for (int64_t n = 0; n < size; n++) {
      float sum = 0;
      for (int64_t b = 0; b < batch; b++)
        sum += parts[(b * slices + channel / lanes) * row + n * lanes + channel % lanes];
      dDynamics[channel * size + n] = sum;
    }
  }
}
MM_KERNEL(selectiveScanGrad)

}  // namespace mm::MM_ISA
