// Matrix products C = alpha·A·B (+ C) for any strides. cuBLASLt multiplies where it is there and the matrices suit it;
// our own kernel (gemm.cu) everywhere else, so that no product needs a library.
#pragma once
#include <cstdint>

namespace mm::cuda {

/** A matrix anywhere in the GPU's memory: element (i, j) is data[i·rowStride + j·columnStride]. */
struct Matrix {
  const float* data;
  int64_t rowStride;
  int64_t columnStride;
};
inline Matrix rowMajor(const float* data, int64_t columns) { return {data, columns, 1}; }
inline Matrix transposed(Matrix m) { return {m.data, m.columnStride, m.rowStride}; }

struct GemmOptions {
  float alpha = 1;
  bool accumulate = false;           // add to what C holds
  const float* rowVector = nullptr;  // [n], added to every row (a bias) after alpha
  bool bf16 = false;                 // round A and B to bf16
};

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
