// Matrix products C = alpha·A·B (+ C) for any strides, in fp32 or with bf16 inputs and fp32 sums. The order in which an
// element of C is summed depends on the shape alone, so results are the same bits for any number of threads.
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

/** C[m × n] with rows `cStride` apart; uses all threads, so call it outside parallelFor. */
void gemm(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride, const GemmOptions& options = {});

/** The same on the calling thread alone, for use inside a task; `thread` says whose scratch memory to take. */
void gemmOnThread(int thread, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride,
                  const GemmOptions& options = {});

}  // namespace mm::MM_ISA
#endif
