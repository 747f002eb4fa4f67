// PeekValues: v_t = scale · v̄_t/‖v̄_t‖ with v̄_t = mix·w_t + (1 - mix)·w_{t+shift}, w = 0 beyond the end.
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../threads.h"
#include "heads.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

/** The mixture of w_t and w_{t+shift}, the latter null beyond the end. */
void mixAhead(const float* present, const float* later, float mix, int64_t width, float* mixed) {
  for (int64_t c = 0; c < width; c += lanes) {
    const int64_t left = width - c;
    Floats v = mix * loadFirst(present + c, left);
    if (later != nullptr) v += (1 - mix) * loadFirst(later + c, left);
    storeFirst(mixed + c, v, left);
  }
}

}  // namespace

static void peekValues(const float* w, const float* mix, const float* scale, float* values, float* norm, int64_t shift,
                       int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width;
  parallelRanges(batch * time, rowGrain(stride), [&](int64_t first, int64_t end, int thread) {
    Scratch scratch(thread);
    float* mixed = scratch.floats(width);
    for (int64_t row = first; row < end; row++) {
      for (int64_t h = 0; h < heads; h++) {
        const int64_t at = row * stride + h * width;
        const float* later = row % time + shift < time ? w + at + shift * stride : nullptr;
        mixAhead(w + at, later, mix[h], width, mixed);
        norm[row * heads + h] = writeScaledUnit(mixed, width, scale[h], values + at);
      }
    }
  });
}
MM_KERNEL(peekValues)

static void peekValuesGrad(const float* w, const float* mix, const float* scale, const float* norm, const float* dy,
                           float* dw, float* dMix, float* dScale, int64_t shift, int64_t batch, int64_t time,
                           int64_t heads, int64_t width) {
  const int64_t stride = heads * width;
  Scratch shared(0);
  auto* mixParts = shared.take<double>(batch * heads);
  auto* scaleParts = shared.take<double>(batch * heads);
  forHeads(batch, heads, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    float* mixed = scratch.floats(width);
    // dv̄ of the last `shift` tokens, which add to dw of this one, and of this one.
    const int64_t kept = std::min(shift, time) + 1, rowWidth = some.count() * width;
    float* gradients = scratch.floats(kept * rowWidth);
    std::memset(mixParts + b * heads + some.first, 0, some.count() * sizeof(double));
    std::memset(scaleParts + b * heads + some.first, 0, some.count() * sizeof(double));
    for (int64_t t = 0; t < time; t++) {
      for (int64_t h = some.first; h < some.end; h++) {
        const int64_t row = b * time + t, at = row * stride + h * width, own = (h - some.first) * width;
        const float* later = t + shift < time ? w + at + shift * stride : nullptr;
        float* gradient = gradients + t % kept * rowWidth + own;
        const float* earlier = t < shift ? nullptr : gradients + (t - shift) % kept * rowWidth + own;
        mixAhead(w + at, later, mix[h], width, mixed);
        scaleParts[b * heads + h] +=
            scaledUnitGradient(mixed, width, norm[row * heads + h], scale[h], dy + at, gradient);
        Floats products = {};
        for (int64_t c = 0; c < width; c += lanes) {
          const int64_t left = width - c;
          const Floats g = loadFirst(gradient + c, left);
          Floats change = mix[h] * g, difference = loadFirst(w + at + c, left);
          if (earlier != nullptr) change += (1 - mix[h]) * loadFirst(earlier + c, left);
          if (later != nullptr) difference -= loadFirst(later + c, left);
          storeFirst(dw + at + c, change, left);
          products = fma(g, difference, products);
        }
        mixParts[b * heads + h] += sum(products);
      }
    }
  });
  sumHeads(mixParts, batch, heads, dMix);
  sumHeads(scaleParts, batch, heads, dScale);
}
MM_KERNEL(peekValuesGrad)

}  // namespace mm::MM_ISA
