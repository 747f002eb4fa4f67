// Gelu: y = ½x(1 + tanh z), z = √(2/π)(x + 0.044715 x³).
#include "../kernel.h"
#include "../threads.h"
#include "../vector-math.h"

namespace mm::MM_ISA {
namespace {

constexpr float slope = 0.7978845608f;  // √(2/π)
constexpr float cubic = 0.044715f;

MM_INLINE Floats tanhOf(Floats x) { return tanh(slope * x * (1.f + cubic * x * x)); }

}  // namespace

static void gelu(const float* x, float* y, int64_t count) {
  parallelRanges(count, elementwiseGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i += lanes) {
      const Floats v = loadFirst(x + i, end - i);
      storeFirst(y + i, 0.5f * v * (1.f + tanhOf(v)), end - i);
    }
  });
}
MM_KERNEL(gelu)

/** dy/dx = ½(1 + tanh z) + ½x(1 - tanh² z) dz/dx */
static void geluGrad(const float* x, const float* dy, float* dx, int64_t count) {
  parallelRanges(count, elementwiseGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i += lanes) {
      const Floats v = loadFirst(x + i, end - i);
      const Floats t = tanhOf(v);
      const Floats inner = slope * (1.f + 3 * cubic * v * v);
      // Beyond |x| = 10 the slope of tanh is 0, also where x² overflows.
      const Floats bend = keep(abs(v) < 10.f, 0.5f * v * (1.f - t * t) * inner);
      storeFirst(dx + i, loadFirst(dy + i, end - i) * (0.5f * (1.f + t) + bend), end - i);
    }
  });
}
MM_KERNEL(geluGrad)

}  // namespace mm::MM_ISA
