// Linear: y = x·weightᵀ + bias with weight [out, in], on rows.
#include "../gemm.h"
#include "../kernel.h"
#include "../micro-kernel.h"
#include "../stored-rows.h"
#include "../threads.h"
#include "row-blocks.h"

namespace mm::MM_ISA {

/** Up to this many rows, the weights are read once, where they stand: the speed is that of memory. */
constexpr int64_t rowsInPlace = 16;
/** Weights that one task reads. */
constexpr int64_t inPlaceGrain = 1 << 16;
/** Outputs computed side by side, so that their sums do not wait for each other, for rows that share what is read. */
constexpr int outputsAtOnce = 4;
constexpr int rowsAtOnce = lanes == 16 ? 4 : 2;  // as many sums as registers hold

/** Partial sums, lane by lane, of y[outputs] of `Rows` rows that follow each other, from the rows of weights `weight[o]`. */
template <int Rows, class Number>
MM_INLINE void multiplyRows(const float* x, const Number* const (&weight)[outputsAtOnce], int64_t in,
                  Floats (&sums)[Rows][outputsAtOnce]) {
  const auto add = [&](auto readX, auto readWeight, int64_t k) __attribute__((always_inline)) {
    Floats w[outputsAtOnce];
    MM_UNROLL for (int o = 0; o < outputsAtOnce; o++) w[o] = readWeight(weight[o] + k);
    MM_UNROLL for (int r = 0; r < Rows; r++) {
      const Floats v = readX(x + r * in + k);
      MM_UNROLL for (int o = 0; o < outputsAtOnce; o++) sums[r][o] = fma(v, w[o], sums[r][o]);
    }
  };
  int64_t k = 0;
  for (; k + lanes <= in; k += lanes) add([](const float* p) { return load(p); }, [](const Number* p) { return widen(p); }, k);
  if (k == in) return;
  add([&](const float* p) { return loadFirst(p, in - k); }, [&](const Number* p) { return widenFirst(p, in - k); }, k);
}

/** y[begin … end - 1] of all rows. A few rows of weights at a time serve all rows of x from the first-level cache. */
template <class Number>
void multiplyFewRows(const float* x, StoredRows<Number> weight, const float* bias, float* y, int64_t rows, int64_t in,
                     int64_t out, int64_t begin, int64_t end) {
  for (int64_t j = begin; j < end; j += outputsAtOnce) {
    const int count = static_cast<int>(std::min<int64_t>(outputsAtOnce, end - j));
    const Number* weights[outputsAtOnce];  // a missing one is the last once more
    for (int o = 0; o < outputsAtOnce; o++) weights[o] = weight[j + std::min(o, count - 1)];
    for (int64_t first = 0; first < rows; first += rowsAtOnce)
      withRows<rowsAtOnce>(static_cast<int>(std::min<int64_t>(rowsAtOnce, rows - first)), [&]<int Rows>() {
        Floats sums[Rows][outputsAtOnce] = {};
        multiplyRows<Rows>(x + first * in, weights, in, sums);
        for (int r = 0; r < Rows; r++)
          for (int o = 0; o < count; o++)
            y[(first + r) * out + j + o] =
                weight.factorOf(j + o) * sum(sums[r][o]) + (bias == nullptr ? 0 : bias[j + o]);
      });
  }
}

template <class Number>
void linearInPlace(const float* x, StoredRows<Number> weight, const float* bias, float* y, int64_t rows, int64_t in,
                   int64_t out) {
  const int64_t grain = std::max<int64_t>(1, inPlaceGrain / std::max<int64_t>(1, in) / outputsAtOnce) * outputsAtOnce;
  parallelRanges(out, grain, [&](int64_t begin, int64_t end, int) {
    multiplyFewRows(x, weight, bias, y, rows, in, out, begin, end);
  });
}

static void linear(const float* x, const float* weight, const float* bias, float* y, int64_t rows, int64_t in,
                   int64_t out, bool bf16) {
  if (rows >= 1 && rows <= rowsInPlace && !bf16)
    return linearInPlace(x, StoredRows<float>{weight, in}, bias, y, rows, in, out);
  gemm(rows, out, in, rowMajor(x, in), transposed(rowMajor(weight, in)), y, out, {.rowVector = bias, .bf16 = bf16});
}
MM_KERNEL(linear)

/** Rows of weights that are unpacked at a time for a product of many rows. */
constexpr int64_t unpackedRows = 1024;

/** The same with weights in bf16, or in 8 bits with one factor for each output. */
static void packedLinear(const float* x, const void* weight, const float* factor, const float* bias, float* y,
                         int64_t rows, int64_t in, int64_t out, bool bytes) {
  withStored(weight, bytes, [&]<class Number>(const Number* data) {
    const StoredRows<Number> stored{data, in, factor};
    if (rows <= rowsInPlace) return linearInPlace(x, stored, bias, y, rows, in, out);
    Scratch scratch(0);
    float* part = scratch.floats(std::min(out, unpackedRows) * in);
    for (int64_t first = 0; first < out; first += unpackedRows) {
      const int64_t count = std::min(unpackedRows, out - first);
      parallelRanges(count, rowGrain(in), [&](int64_t begin, int64_t end, int) {
        for (int64_t j = begin; j < end; j++)
          unpackRow(stored[first + j], stored.factorOf(first + j), in, part + j * in);
      });
      gemm(rows, count, in, rowMajor(x, in), transposed(rowMajor(part, in)), y + first, out,
           {.rowVector = bias == nullptr ? nullptr : bias + first});
    }
  });
}
MM_KERNEL(packedLinear)

/** dx = dy·weight, dWeight = dyᵀ·x, dBias = Σ dy over the rows (null when there is none). */
static void linearGrad(const float* x, const float* weight, const float* dy, float* dx, float* dWeight, float* dBias,
                       int64_t rows, int64_t in, int64_t out, bool bf16) {
  gemm(rows, in, out, rowMajor(dy, out), rowMajor(weight, in), dx, in, {.bf16 = bf16});
  gemm(out, in, rows, transposed(rowMajor(dy, out)), rowMajor(x, in), dWeight, in, {.bf16 = bf16});
  if (dBias == nullptr) return;
  sumRowBlocks(rows, out, out, dBias, [&](int64_t begin, int64_t end, float* sums) {
    for (int64_t row = begin; row < end; row++)
      for (int64_t c = 0; c < out; c += lanes)
        storeFirst(sums + c, loadFirst(sums + c, out - c) + loadFirst(dy + row * out + c, out - c), out - c);
  });
}
MM_KERNEL(linearGrad)

}  // namespace mm::MM_ISA
