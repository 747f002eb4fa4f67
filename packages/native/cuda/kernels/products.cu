// Linear maps and batched products (cc/fused/linear.cc, cc/stock/matmul.cc).
#include <vector>

#include "../../cc/kernel.h"
#include "../gemm.h"
#include "../rows.h"

namespace mm::cuda {

static void linear(const float* x, const float* weight, const float* bias, float* y, int64_t rows, int64_t in,
                   int64_t out, bool bf16) {
  gemm(rows, out, in, rowMajor(x, in), transposed(rowMajor(weight, in)), y, out, {.rowVector = bias, .bf16 = bf16});
}
MM_KERNEL(linear)

/** dx = dy·weight, dWeight = dyᵀ·x, dBias = Σ dy over the rows (null when there is none). */
static void linearGrad(const float* x, const float* weight, const float* dy, float* dx, float* dWeight, float* dBias,
                       int64_t rows, int64_t in, int64_t out, bool bf16) {
  gemm(rows, in, out, rowMajor(dy, out), rowMajor(weight, in), dx, in, {.bf16 = bf16});
  gemm(out, in, rows, transposed(rowMajor(dy, out)), rowMajor(x, in), dWeight, in, {.bf16 = bf16});
  if (dBias != nullptr) sumRows(MatrixTerm{dy, out}, dBias, rows, out);
}
MM_KERNEL(linearGrad)

/** c[batch][m][n] = a·b (+ bias[n]); tables say which matrix of a and of b each of the batch takes. */
static void matMul(const float* a, const float* b, const float* bias, float* c, const int32_t* aIndex,
                   const int32_t* bIndex, int64_t batch, int64_t m, int64_t n, int64_t k, bool transposeA,
                   bool transposeB, bool bf16) {
  constexpr int64_t mostBlocksDeep = 65535;
  if (batch > mostBlocksDeep) throw Declined{};
  const GemmOptions options{.rowVector = bias, .bf16 = bf16};
  const Matrix left = transposeA ? transposed(rowMajor(a, m)) : rowMajor(a, k);
  const Matrix right = transposeB ? transposed(rowMajor(b, k)) : rowMajor(b, n);
  if (batch == 1) {
    const auto at = [](Matrix matrix, int64_t offset) { return Matrix{matrix.data + offset, matrix.rowStride, matrix.columnStride}; };
    return gemm(m, n, k, at(left, aIndex[0] * m * k), at(right, bIndex[0] * k * n), c, n, options);
  }
  std::vector<int64_t> offsets(2 * batch);
  for (int64_t i = 0; i < batch; i++) {
    offsets[i] = aIndex[i] * m * k;
    offsets[batch + i] = bIndex[i] * k * n;
  }
  const DeviceScratch<int64_t> table(2 * batch);
  upload(table, offsets.data(), offsets.size() * sizeof(int64_t));
  gemm(m, n, k, left, right, c, n, options, {batch, table, table + batch, m * n});
}
MM_KERNEL(matMul)

}  // namespace mm::cuda
