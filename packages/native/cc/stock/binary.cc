// Elementwise kernels of two operands with broadcasting: the loops around the functions of binary-list.h.
#include <cmath>

#include "../kernel.h"
#include "../simd.h"
#include "elementwise.h"

#define BINARY(name, In, Out, result)                                                                                   \
  static MM_INLINE Out name##Of(In x, In y) { return result; }                                                          \
  static void name##Span(const void* a, const void* b, void* out, int64_t count) {                                      \
    combine<In, Out, name##Of>(static_cast<const In*>(a), static_cast<const In*>(b), static_cast<Out*>(out), count);    \
  }                                                                                                                     \
  static void name(const In* a, const In* b, Out* out, const int32_t* layout, int64_t rank) {                           \
    combineSpans(name##Span, a, b, sizeof(In), out, sizeof(Out), layout, rank);                                         \
  }                                                                                                                     \
  MM_KERNEL(name)

namespace mm::MM_ISA {

template <class In, class Out, Out (*of)(In, In)>
MM_INLINE void combine(const In* __restrict a, const In* __restrict b, Out* __restrict out, int64_t count) {
  for (int64_t i = 0; i < count; i++) out[i] = of(a[i], b[i]);
}

#include "binary-list.h"

}  // namespace mm::MM_ISA
