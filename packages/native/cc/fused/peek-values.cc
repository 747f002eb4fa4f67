// PeekValues: v_t = scale · v̄_t/‖v̄_t‖ with v̄_t = mix·w_t + (1 - mix)·w_{t+shift}, w = 0 beyond the end.
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../threads.h"
#include "heads.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

/** w_{t+shift} of one sequence and head, or null beyond the end. */
const float* ahead(const float* w, int64_t stride, int64_t t, int64_t time, int64_t shift) {
  return t + shift < time ? w + (t + shift) * stride : nullptr;
}

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
  parallelRanges(batch * heads, rowGrain(time * width), [&](int64_t first, int64_t end, int thread) {
    Scratch scratch(thread);
    float* mixed = scratch.floats(width);
    for (int64_t task = first; task < end; task++) {
      const int64_t b = task / heads, h = task % heads, start = b * time * stride + h * width;
      for (int64_t t = 0; t < time; t++) {
        const int64_t at = start + t * stride;
        mixAhead(w + at, ahead(w + start, stride, t, time, shift), mix[h], width, mixed);
        norm[(b * time + t) * heads + h] = writeScaledUnit(mixed, width, scale[h], values + at);
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
  parallelFor(batch * heads, [&](int64_t task, int thread) {
    const int64_t b = task / heads, h = task % heads, start = b * time * stride + h * width;
    Scratch scratch(thread);
    float* mixed = scratch.floats(width);
    float* gradient = scratch.floats(width);
    double mixGradient = 0, scaleGradient = 0;
    for (int64_t t = 0; t < time; t++) std::memset(dw + start + t * stride, 0, width * sizeof(float));
    for (int64_t t = 0; t < time; t++) {
      const int64_t at = start + t * stride;
      const float* later = ahead(w + start, stride, t, time, shift);
      mixAhead(w + at, later, mix[h], width, mixed);
      scaleGradient += scaledUnitGradient(mixed, width, norm[(b * time + t) * heads + h], scale[h], dy + at, gradient);
      float* laterGradient = later == nullptr ? nullptr : dw + start + (t + shift) * stride;
      Floats products = {};
      for (int64_t c = 0; c < width; c += lanes) {
        const int64_t left = width - c;
        const Floats g = loadFirst(gradient + c, left);
        storeFirst(dw + at + c, loadFirst(dw + at + c, left) + mix[h] * g, left);
        Floats difference = loadFirst(w + at + c, left);
        if (later != nullptr) {
          storeFirst(laterGradient + c, loadFirst(laterGradient + c, left) + (1 - mix[h]) * g, left);
          difference -= loadFirst(later + c, left);
        }
        products = fma(g, difference, products);
      }
      mixGradient += sum(products);
    }
    mixParts[task] = mixGradient;
    scaleParts[task] = scaleGradient;
  });
  sumHeads(mixParts, batch, heads, dMix);
  sumHeads(scaleParts, batch, heads, dScale);
}
MM_KERNEL(peekValuesGrad)

}  // namespace mm::MM_ISA
