// PeekValues: v_t = scale · v̄_t/‖v̄_t‖ with v̄_t = mix·w_t + (1 - mix)·w_{t+shift}, w = 0 beyond the end.
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../threads.h"
#include "heads.h"
#include "row-blocks.h"

namespace mm::MM_ISA {
namespace {

/** y = mix·present + (1 - mix)·other on a row of some heads, `other` null for zeros. */
void mixRows(const float* present, const float* other, const float* mix, int64_t features, float* y) {
  for (int64_t c = 0; c < features; c += lanes) {
    const int64_t left = features - c;
    const Floats part = loadFirst(mix + c, left);
    Floats v = part * loadFirst(present + c, left);
    if (other != nullptr) v = fma(1.f - part, loadFirst(other + c, left), v);
    storeFirst(y + c, v, left);
  }
}

/** dw_t from dv̄_t = `g` and dv̄_{t-shift} = `earlier`; adds what each feature of the mixture gains to `products`. */
void unmix(const float* g, const float* earlier, const float* present, const float* later, const float* mix,
           int64_t features, float* dw, float* products) {
  for (int64_t c = 0; c < features; c += lanes) {
    const int64_t left = features - c;
    const Floats part = loadFirst(mix + c, left), gradient = loadFirst(g + c, left);
    Floats change = part * gradient, difference = loadFirst(present + c, left);
    if (earlier != nullptr) change = fma(1.f - part, loadFirst(earlier + c, left), change);
    if (later != nullptr) difference -= loadFirst(later + c, left);
    storeFirst(dw + c, change, left);
    storeFirst(products + c, fma(gradient, difference, loadFirst(products + c, left)), left);
  }
}

}  // namespace

static void peekValues(const float* w, const float* mix, const float* scale, float* values, float* norm, int64_t shift,
                       int64_t batch, int64_t time, int64_t heads, int64_t width) {
  const int64_t stride = heads * width, block = blockRows(3, stride);
  const Heads all{0, heads, heads};
  parallelRanges(batch * time, rowGrain(stride), [&](int64_t first, int64_t end, int thread) {
    Scratch scratch(thread);
    const float* mixes = perFeature(all, width, scratch, [&](int64_t h) { return mix[h]; });
    float* mixed = scratch.floats(std::min(block, end - first) * stride);
    for (int64_t row = first; row < end; row += block) {
      const int64_t rows = std::min(block, end - row);
      for (int64_t i = 0; i < rows; i++) {
        const float* present = w + (row + i) * stride;
        mixRows(present, (row + i) % time + shift < time ? present + shift * stride : nullptr, mixes, stride,
                mixed + i * stride);
      }
      writeScaledUnits(mixed, rows, all, width, scale, values + row * stride, norm + row * heads);
    }
  });
}
MM_KERNEL(peekValues)

static void peekValuesGrad(const float* w, const float* mix, const float* scale, const float* norm, const float* dy,
                           float* dw, float* dMix, float* dScale, int64_t shift, int64_t batch, int64_t time,
                           int64_t heads, int64_t width) {
  const int64_t stride = heads * width, block = blockRows(6, stride);
  Scratch shared(0);
  double *mixParts = zeros<double>(batch * heads, shared), *scaleParts = zeros<double>(batch * heads, shared);
  forHeads(batch, heads, batch * time * stride, [&](int64_t b, Heads some, int thread) {
    Scratch scratch(thread);
    const int64_t features = some.count() * width;
    const float* mixes = perFeature(some, width, scratch, [&](int64_t h) { return mix[h]; });
    float* mixed = scratch.floats(block * features);
    float* products = zeros(features, scratch);
    // dv̄ of this block, and of the blocks before it that reach into it.
    const int64_t kept = (std::min(shift, time) + block - 1) / block * block + block;
    float* gradients = scratch.floats(kept * features);
    const auto gradient = [&](int64_t t) { return gradients + t % kept * features; };
    for (int64_t begin = 0; begin < time; begin += block) {
      const int64_t end = std::min(begin + block, time), row = b * time + begin;
      const float* present = w + row * stride + some.first * width;
      const auto later = [&](int64_t t) { return t + shift < time ? present + (t - begin + shift) * stride : nullptr; };
      for (int64_t t = begin; t < end; t++)
        mixRows(present + (t - begin) * stride, later(t), mixes, features, mixed + (t - begin) * features);
      scaledUnitGradients(mixed, end - begin, some, width, norm + row * heads, scale, dy + row * stride, gradient(begin),
                          scaleParts + b * heads);
      for (int64_t t = begin; t < end; t++) {
        unmix(gradient(t), t < shift ? nullptr : gradient(t - shift), present + (t - begin) * stride, later(t), mixes,
              features, dw + (b * time + t) * stride + some.first * width, products);
        if (t % rowsPerSum == 0) addFeatureSums(products, some, width, mixParts + b * heads);
      }
    }
    addFeatureSums(products, some, width, mixParts + b * heads);
  });
  sumHeads(mixParts, batch, heads, dMix);
  sumHeads(scaleParts, batch, heads, dScale);
}
MM_KERNEL(peekValuesGrad)

}  // namespace mm::MM_ISA
