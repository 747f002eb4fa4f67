// Elementwise kernels of two operands with broadcasting (cc/stock/binary-list.h).
#include "../number.h"
#include "../views.h"

namespace mm::cuda {

template <class Function, class In, class Out>
__global__ void combineKernel(const In* a, const In* b, Out* out, View view, int64_t count) {
  forThread(count, [&](int64_t i) {
    int64_t inA, inB;
    view.locate(i, inA, inB);
    out[i] = Function()(a[inA], b[inB]);
  });
}

#define BINARY(name, In, Out, result)                                                                    \
  struct name##Function {                                                                                \
    MM_DEVICE Out operator()(In x, In y) const { return result; }                                        \
  };                                                                                                     \
  static void name(const In* a, const In* b, Out* out, const int32_t* layout, int64_t rank) {            \
    const View view(layout, rank);                                                                       \
    launch(combineKernel<name##Function, In, Out>, blocksFor(view.count()), dim3(blockThreads), 0, a, b, out, view, \
           view.count());                                                                                \
  }                                                                                                      \
  MM_KERNEL(name)
#include "../../cc/stock/binary-list.h"

}  // namespace mm::cuda
