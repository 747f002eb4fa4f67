// Operands and options of matrix products, on the CPU (gemm.h) and on a GPU (cuda/gemm.h).
#pragma once
#include <cstdint>

#ifdef MM_ISA
namespace mm::MM_ISA {

/** A matrix anywhere in memory: element (i, j) is data[i·rowStride + j·columnStride]. */
struct Matrix {
  const float* data;
  int64_t rowStride;
  int64_t columnStride;
};
inline Matrix rowMajor(const float* data, int64_t columns) { return {data, columns, 1}; }
inline Matrix transposed(Matrix m) { return {m.data, m.columnStride, m.rowStride}; }

struct GemmOptions {
  float alpha = 1;
  bool accumulate = false;            // add to what C holds
  const float* rowVector = nullptr;   // [n], added to every row (a bias) after alpha
  bool bf16 = false;                  // round A and B to bf16 while packing
};

}  // namespace mm::MM_ISA
#endif
