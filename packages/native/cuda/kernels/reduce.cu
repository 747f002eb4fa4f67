// Reductions and softmax of x[outer][length][inner] along its middle axis. Long ones are cut into pieces by the shape
// alone, whose results are then reduced in turn.
#include <cmath>

#include "../../cc/kernel.h"
#include "../launch.h"

namespace mm::cuda {

constexpr int64_t pieceLength = 1024;

/** One thread for each result, which reads a piece column by column. */
template <class Operation, class T>
__global__ void reduceColumns(const T* x, T* out, int64_t outer, int64_t length, int64_t inner, int64_t pieces) {
  forThread(outer * pieces * inner, [&](int64_t at) {
    const int64_t i = at % inner, piece = at / inner % pieces, o = at / inner / pieces;
    const int64_t end = length < (piece + 1) * pieceLength ? length : (piece + 1) * pieceLength;
    T result = Operation::start();
    for (int64_t j = piece * pieceLength; j < end; j++)
      result = Operation::combine(result, x[(o * length + j) * inner + i]);
    out[at] = result;
  });
}
/** One warp for each result, where what it reads lies side by side. */
template <class Operation, class T>
__global__ void reduceRows(const T* x, T* out, int64_t outer, int64_t length, int64_t pieces) {
  forWarp(outer * pieces, [&](int64_t at) {
    const int64_t piece = at % pieces, o = at / pieces;
    const int64_t end = length < (piece + 1) * pieceLength ? length : (piece + 1) * pieceLength;
    T result = Operation::start();
    for (int64_t j = piece * pieceLength + laneOfWarp(); j < end; j += warpLanes)
      result = Operation::combine(result, x[o * length + j]);
    for (int mask = warpLanes / 2; mask > 0; mask /= 2) result = Operation::combine(result, shuffleXor(result, mask));
    if (laneOfWarp() == 0) out[at] = result;
  });
}

template <class Operation, class T>
static void reduce(const T* x, T* out, int64_t outer, int64_t length, int64_t inner) {
  const int64_t pieces = std::max<int64_t>(1, divideUp(length, pieceLength));
  const auto pass = [&](T* to) {
    if (inner == 1)
      launch(reduceRows<Operation, T>, warpBlocksFor(outer * pieces), dim3(blockThreads), 0, x, to, outer, length, pieces);
    else
      launch(reduceColumns<Operation, T>, blocksFor(outer * pieces * inner), dim3(blockThreads), 0, x, to, outer, length,
             inner, pieces);
  };
  if (pieces == 1) return pass(out);
  DeviceScratch<T> parts(outer * pieces * inner);
  pass(parts);
  reduce<Operation, T>(parts, out, outer, pieces, inner);
}

#define REDUCTION(name, T, first, result)                                              \
  struct name##Operation {                                                             \
    static MM_DEVICE T start() { return first; }                                       \
    static MM_DEVICE T combine(T a, T b) { return result; }                            \
  };                                                                                   \
  static void name(const T* x, T* out, int64_t outer, int64_t length, int64_t inner) { \
    reduce<name##Operation, T>(x, out, outer, length, inner);                          \
  }                                                                                    \
  MM_KERNEL(name)

REDUCTION(sumFloat, float, 0.f, a + b)
REDUCTION(prodFloat, float, 1.f, a * b)
// NaN wins: it compares with nothing, itself included.
REDUCTION(maxFloat, float, -INFINITY, a > b || a != a ? a : b)
REDUCTION(minFloat, float, INFINITY, a < b || a != a ? a : b)
REDUCTION(sumInt, int32_t, 0, static_cast<int32_t>(uint32_t(a) + uint32_t(b)))
REDUCTION(prodInt, int32_t, 1, static_cast<int32_t>(uint32_t(a) * uint32_t(b)))
REDUCTION(maxInt, int32_t, -2147483647 - 1, a > b ? a : b)
REDUCTION(minInt, int32_t, 2147483647, a < b ? a : b)
REDUCTION(allBool, uint8_t, 1, static_cast<uint8_t>(a & b))
REDUCTION(anyBool, uint8_t, 0, static_cast<uint8_t>(a | b))

/** Index of the first number that none is better than, one thread for each result; as on the CPU, never a NaN after one. */
template <bool Largest, class T>
__global__ void findBest(const T* x, int32_t* out, int64_t outer, int64_t length, int64_t inner) {
  forThread(outer * inner, [&](int64_t i) {
    const T* from = x + i / inner * length * inner + i % inner;
    int64_t best = 0;
    for (int64_t j = 1; j < length; j++) {
      const T candidate = from[j * inner], known = from[best * inner];
      if (Largest ? candidate > known : candidate < known) best = j;
    }
    out[i] = static_cast<int32_t>(best);
  });
}
#define BEST(name, Largest, T)                                                               \
  static void name(const T* x, int32_t* out, int64_t outer, int64_t length, int64_t inner) { \
    launch(findBest<Largest, T>, blocksFor(outer * inner), dim3(blockThreads), 0, x, out, outer, length, inner); \
  }                                                                                          \
  MM_KERNEL(name)
BEST(argMaxFloat, true, float)
BEST(argMinFloat, false, float)
BEST(argMaxInt, true, int32_t)
BEST(argMinInt, false, int32_t)

/** Running results along the middle axis, one thread for each line. */
template <class Operation, class T>
__global__ void accumulate(const T* x, T* out, int64_t outer, int64_t length, int64_t inner, bool exclusive, bool reverse) {
  forThread(outer * inner, [&](int64_t line) {
    const int64_t start = line / inner * length * inner + line % inner;
    T total = Operation::start();
    for (int64_t j = 0; j < length; j++) {
      const int64_t at = start + (reverse ? length - 1 - j : j) * inner;
      const T next = Operation::combine(total, x[at]);
      out[at] = exclusive ? total : next;
      total = next;
    }
  });
}
#define RUNNING(name, Reduction, T)                                                                                  \
  static void name(const T* x, T* out, int64_t outer, int64_t length, int64_t inner, bool exclusive, bool reverse) { \
    launch(accumulate<Reduction##Operation, T>, blocksFor(outer * inner), dim3(blockThreads), 0, x, out, outer, length, \
           inner, exclusive, reverse);                                                                               \
  }                                                                                                                  \
  MM_KERNEL(name)
RUNNING(cumsumFloat, sumFloat, float)
RUNNING(cumsumInt, sumInt, int32_t)
RUNNING(cumprodFloat, prodFloat, float)
RUNNING(cumprodInt, prodInt, int32_t)

/** y = e^{x - max}/Σ over rows, one warp for each. A row with NaN or +inf is NaN, as is a row of -inf alone. */
__global__ void softmaxKernel(const float* x, float* y, int64_t rows, int64_t columns) {
  forWarp(rows, [&](int64_t row) {
    const float* from = x + row * columns;
    float largest = -INFINITY, sum = 0;
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes) largest = fmaxf(largest, from[c]);
    largest = largestOfWarp(largest);
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes) sum += expf(from[c] - largest);
    const float factor = 1 / sumOverWarp(sum);
    for (int64_t c = laneOfWarp(); c < columns; c += warpLanes) y[row * columns + c] = expf(from[c] - largest) * factor;
  });
}
static void softmax(const float* x, float* y, int64_t rows, int64_t columns) {
  launch(softmaxKernel, warpBlocksFor(rows), dim3(blockThreads), 0, x, y, rows, columns);
}
MM_KERNEL(softmax)

}  // namespace mm::cuda
