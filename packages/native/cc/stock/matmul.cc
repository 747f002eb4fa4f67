// Batched products for BatchMatMul and _FusedMatMul.
#include "../gemm.h"
#include "../kernel.h"
#include "../threads.h"

namespace mm::MM_ISA {

/**
 * c[batch][m][n] = a·b (+ bias[n]). Batch index i takes matrix aIndex[i] of a and bIndex[i] of b, so that broadcasting
 * needs no copies; both tables have `batch` entries. With a transposed flag the matrix is stored as its transpose.
 */
static void matMul(const float* a, const float* b, const float* bias, float* c, const int32_t* aIndex,
                   const int32_t* bIndex, int64_t batch, int64_t m, int64_t n, int64_t k, bool transposeA,
                   bool transposeB, bool bf16) {
  const GemmOptions options{.rowVector = bias, .bf16 = bf16};
  const auto left = [&](int64_t i) {
    const Matrix matrix = rowMajor(a + aIndex[i] * m * k, transposeA ? m : k);
    return transposeA ? transposed(matrix) : matrix;
  };
  const auto right = [&](int64_t i) {
    const Matrix matrix = rowMajor(b + bIndex[i] * k * n, transposeB ? k : n);
    return transposeB ? transposed(matrix) : matrix;
  };
  // Many small products go one to a task; few large ones are each cut among the threads. Both give the same bits.
  if (batch >= 4 * threadCount() || (batch > 1 && m * n * k < 1 << 18)) {
    parallelFor(batch, [&](int64_t i, int thread) {
      gemmOnThread(thread, m, n, k, left(i), right(i), c + i * m * n, n, options);
    });
  } else {
    for (int64_t i = 0; i < batch; i++) gemm(m, n, k, left(i), right(i), c + i * m * n, n, options);
  }
}
MM_KERNEL(matMul)

}  // namespace mm::MM_ISA
