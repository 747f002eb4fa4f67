// LinearRecurrence: h_t = decay_t ∘ h_{t-1} + input_t over [batch, time, width]; decay also [width], the same everywhere.
//
// Gradient: g_t = dy_t + decay_{t+1} ∘ g_{t+1}, dInput_t = g_t, dDecay_t = g_t ∘ h_{t-1}, dInitial = decay_0 ∘ g_0.
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../simd.h"
#include "../threads.h"

namespace mm::MM_ISA {
namespace {

/** Features that one task follows along time. */
constexpr int64_t slice = 64;

/** Calls body(b, begin, end) for each sequence and slice of its features. */
template <class Body>
void forSlices(int64_t batch, int64_t width, Body&& body) {
  const int64_t slices = (width + slice - 1) / slice;
  parallelFor(batch * slices, [&](int64_t task, int) {
    const int64_t begin = task % slices * slice;
    body(task / slices, begin, std::min(width, begin + slice));
  });
}

}  // namespace

/** initial may be null. */
static void linearRecurrence(const float* decay, const float* input, const float* initial, float* states,
                             int64_t batch, int64_t time, int64_t width, bool constantDecay) {
  forSlices(batch, width, [&](int64_t b, int64_t begin, int64_t end) {
    for (int64_t t = 0; t < time; t++) {
      const int64_t row = (b * time + t) * width;
      for (int64_t c = begin; c < end; c += lanes) {
        const int64_t left = end - c;
        Floats before = {};
        if (t > 0) before = loadFirst(states + row - width + c, left);
        else if (initial != nullptr) before = loadFirst(initial + b * width + c, left);
        const Floats factor = loadFirst(decay + (constantDecay ? 0 : row) + c, left);
        storeFirst(states + row + c, factor * before + loadFirst(input + row + c, left), left);
      }
    }
  });
}
MM_KERNEL(linearRecurrence)

/** initial and dInitial may be null. dInput serves as g. */
static void linearRecurrenceGrad(const float* decay, const float* states, const float* initial, const float* dy,
                                 float* dDecay, float* dInput, float* dInitial, int64_t batch, int64_t time,
                                 int64_t width, bool constantDecay) {
  Scratch shared(0);
  float* parts = shared.floats(constantDecay ? batch * width : 0);
  if (constantDecay) std::memset(parts, 0, batch * width * sizeof(float));
  forSlices(batch, width, [&](int64_t b, int64_t begin, int64_t end) {
    for (int64_t t = time - 1; t >= 0; t--) {
      const int64_t row = (b * time + t) * width;
      for (int64_t c = begin; c < end; c += lanes) {
        const int64_t left = end - c, at = row + c, first = b * width + c;
        Floats g = loadFirst(dy + at, left);
        if (t + 1 < time) g += loadFirst(decay + (constantDecay ? c : at + width), left) * loadFirst(dInput + at + width, left);
        storeFirst(dInput + at, g, left);
        Floats before = {};
        if (t > 0) before = loadFirst(states + at - width, left);
        else if (initial != nullptr) before = loadFirst(initial + first, left);
        if (constantDecay) storeFirst(parts + first, loadFirst(parts + first, left) + g * before, left);
        else storeFirst(dDecay + at, g * before, left);
        if (t == 0 && dInitial != nullptr)
          storeFirst(dInitial + first, g * loadFirst(decay + (constantDecay ? c : at), left), left);
      }
    }
  });
  if (!constantDecay) return;
  for (int64_t c = 0; c < width; c += lanes) {
    Floats total = {};
    for (int64_t b = 0; b < batch; b++) total += loadFirst(parts + b * width + c, width - c);
    storeFirst(dDecay + c, total, width - c);
  }
}
MM_KERNEL(linearRecurrenceGrad)

}  // namespace mm::MM_ISA
