// Matrix products C = alpha·A·B (+ C) for any strides. cuBLASLt multiplies where it is there and the matrices suit it;
// our own kernel (gemm.cu) everywhere else, so that no product needs a library.
#pragma once
#include "../cc/matrix.h"

namespace mm::cuda {

/** Several products of one shape: product i takes A at aOffsets[i] and B at bOffsets[i], in numbers, on the GPU. */
struct Batch {
  int64_t count = 1;
  const int64_t* aOffsets = nullptr;
  const int64_t* bOffsets = nullptr;
  int64_t cStep = 0;
};

/** C[m × n] with rows `cStride` apart. */
void gemm(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride, const GemmOptions& options = {},
          const Batch& batch = {});

}  // namespace mm::cuda
