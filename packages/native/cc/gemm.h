// Matrix products C = alpha·A·B (+ C) for any strides, in fp32 or with bf16 inputs and fp32 sums. The order in which an
// element of C is summed depends on the shape alone, so results are the same bits for any number of threads.
#pragma once
#include "matrix.h"

#ifdef MM_ISA
namespace mm::MM_ISA {

/** C[m × n] with rows `cStride` apart; uses all threads, so call it outside parallelFor. */
void gemm(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride, const GemmOptions& options = {});

/** The same on the calling thread alone, for use inside a task; `thread` says whose scratch memory to take. */
void gemmOnThread(int thread, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride,
                  const GemmOptions& options = {});

}  // namespace mm::MM_ISA
#endif
