#include "gemm.h"

#include "cublas-lt.h"
#include "launch.h"
#include "tiles.h"

namespace mm::cuda {

namespace {

/** A block of four warps computes a square tile of C, each warp a quarter, `depth` steps of the inner axis at a time. */
constexpr int tileSize = 64, depth = 32, warpTile = 32, gemmThreads = 128;

struct Product {
  int64_t m, n, k;
  Matrix a, b;
  float* c;
  int64_t cStride;
  GemmOptions options;
  Batch batch;
};

/** Loads rows first … of `matrix` (seen with its inner axis along columns), inner steps begin …, zeros outside. */
template <class Tile>
MM_DEVICE void loadTile(const Tile& tile, const float* data, int64_t rowStride, int64_t stepStride, int64_t first,
                        int64_t rows, int64_t begin, int64_t steps) {
  constexpr int pairs = depth / 2;
  for (int i = threadIdx.x; i < tileSize * pairs; i += blockDim.x) {
    // Neighbouring threads read neighbours in memory, along whichever axis that is.
    const int row = stepStride == 1 ? i / pairs : i % tileSize, pair = stepStride == 1 ? i % pairs : i / tileSize;
    const int64_t r = first + row, step = begin + 2 * pair;
    const float* at = data + r * rowStride + step * stepStride;
    tile.put(row, pair, r < rows && step < steps ? at[0] : 0, r < rows && step + 1 < steps ? at[stepStride] : 0);
  }
}

template <int Terms>
__global__ void __launch_bounds__(gemmThreads) gemmKernel(Product p) {
  using Tile = RowTile<Terms, tileSize, depth>;
  const Tile left{sharedMemory<uint32_t>()}, right{left.data + Tile::words};
  const int64_t firstRow = static_cast<int64_t>(blockIdx.x) * tileSize, firstColumn = static_cast<int64_t>(blockIdx.y) * tileSize;
  const float* a = p.a.data + (p.batch.aOffsets == nullptr ? 0 : p.batch.aOffsets[blockIdx.z]);
  const float* b = p.b.data + (p.batch.bOffsets == nullptr ? 0 : p.batch.bOffsets[blockIdx.z]);
  float* c = p.c + blockIdx.z * p.batch.cStep;
  const int rowOfWarp = warpOfBlock() / 2 * warpTile, columnOfWarp = warpOfBlock() % 2 * warpTile;
  float sums[warpTile / 16][warpTile / 8][4] = {};

  for (int64_t begin = 0; begin < p.k; begin += depth) {
    loadTile(left, a, p.a.rowStride, p.a.columnStride, firstRow, p.m, begin, p.k);
    loadTile(right, b, p.b.columnStride, p.b.rowStride, firstColumn, p.n, begin, p.k);
    __syncthreads();
#pragma unroll
    for (int step = 0; step < depth; step += 16) {
      LeftTile<Terms> rows[warpTile / 16];
#pragma unroll
      for (int i = 0; i < warpTile / 16; i++) rows[i] = left.left(rowOfWarp + 16 * i, step);
#pragma unroll
      for (int j = 0; j < warpTile / 8; j++) {
        const RightTile<Terms> columns = right.right(columnOfWarp + 8 * j, step);
#pragma unroll
        for (int i = 0; i < warpTile / 16; i++) multiply<Terms>(sums[i][j], rows[i], columns);
      }
    }
    __syncthreads();
  }

  const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
#pragma unroll
  for (int i = 0; i < warpTile / 16; i++) {
#pragma unroll
    for (int j = 0; j < warpTile / 8; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int64_t row = firstRow + rowOfWarp + 16 * i + group + e / 2 * 8;
        const int64_t column = firstColumn + columnOfWarp + 8 * j + 2 * quad + e % 2;
        if (row >= p.m || column >= p.n) continue;
        float* to = c + row * p.cStride + column;
        float value = p.options.alpha * sums[i][j][e];
        if (p.options.rowVector != nullptr) value += p.options.rowVector[column];
        *to = p.options.accumulate ? *to + value : value;
      }
    }
  }
}

template <int Terms>
void launchGemm(const Product& product) {
  const dim3 grid(static_cast<unsigned>(divideUp(product.m, tileSize)), static_cast<unsigned>(divideUp(product.n, tileSize)),
                  static_cast<unsigned>(product.batch.count));
  launch(gemmKernel<Terms>, grid, dim3(gemmThreads), 2 * RowTile<Terms, tileSize, depth>::words * sizeof(uint32_t), product);
}

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride, const GemmOptions& options,
          const Batch& batch) {
  if (m == 0 || n == 0 || batch.count == 0) return;
  if (batch.count == 1 && multiplyWithLibrary(m, n, k, a, b, c, cStride, options)) return;
  const Product product{m, n, k, a, b, c, cStride, options, batch};
  if (options.bf16) launchGemm<bf16Terms>(product);
  else launchGemm<fp32Terms>(product);
}

}  // namespace mm::cuda
