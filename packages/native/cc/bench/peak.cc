// What the machine can do at most, measured in the same run as the kernels that are compared with it.
#include "../kernel.h"
#include "../micro-kernel.h"
#include "../threads.h"

namespace mm::MM_ISA {

/**
 * Multiply-adds of register tiles whose operands stay in the first-level cache, `repeats` times on every thread; gives the
 * number of floating-point operations.
 */
template <bool Paired>
static double multiplyRegisters(int64_t repeats) {
  constexpr int64_t steps = 256;
  runOnThreads(
      [](void* context, int) {
        alignas(64) float a[steps * tileRows], b[steps * tileColumns];
        for (float& x : a) x = 1e-3f;
        for (float& x : b) x = 1e-3f;
        volatile float sink;
        Floats sums[tileRows][tileVectors] = {};
        for (int64_t i = 0; i < *static_cast<int64_t*>(context); i++)
          multiplyTile<tileRows, tileVectors, Paired>(steps, a, tileRows, b, tileColumns, sums);
        for (auto& row : sums)
          for (Floats v : row) sink = sum(v);
        (void)sink;
      },
      &repeats);
  return 2.0 * tileRows * tileColumns * steps * stepDepth<Paired> * static_cast<double>(repeats * threadCount());
}
static double peakFp32(int64_t repeats) { return multiplyRegisters<false>(repeats); }
MM_KERNEL(peakFp32)
static double peakBf16(int64_t repeats) { return multiplyRegisters<pairedBf16>(repeats); }
MM_KERNEL(peakBf16)

}  // namespace mm::MM_ISA
