// Moving elements between two strided views: transpose, slice, concatenation, padding, … (cc/stock/copy.cc).
#include "../../cc/system-memory.h"
#include "../views.h"

namespace mm::cuda {

template <class T>
__global__ void copyKernel(const T* from, T* to, View view, int64_t count) {
  forThread(count, [&](int64_t i) {
    int64_t inFrom, inTo;
    view.locate(i, inFrom, inTo);
    to[inTo] = from[inFrom];
  });
}
template <class T>
static void copyViews(const T* from, T* to, const int32_t* layout, int64_t rank) {
  const View view(layout, rank);
  launch(copyKernel<T>, blocksFor(view.count()), dim3(blockThreads), 0, from, to, view, view.count());
}
static void copyWords(const int32_t* from, int64_t fromOffset, int32_t* to, int64_t toOffset, const int32_t* layout,
                      int64_t rank) {
  copyViews(from + fromOffset, to + toOffset, layout, rank);
}
MM_KERNEL(copyWords)
static void copyBytes(const uint8_t* from, int64_t fromOffset, uint8_t* to, int64_t toOffset, const int32_t* layout,
                      int64_t rank) {
  copyViews(from + fromOffset, to + toOffset, layout, rank);
}
MM_KERNEL(copyBytes)

__global__ void oneHotKernel(const int32_t* indices, float* out, int64_t count, int64_t depth, float on, float off) {
  forThread(count * depth, [&](int64_t i) { out[i] = indices[i / depth] == i % depth ? on : off; });
}
static void oneHot(const int32_t* indices, float* out, int64_t count, int64_t depth, float on, float off) {
  launch(oneHotKernel, blocksFor(count * depth), dim3(blockThreads), 0, indices, out, count, depth, on, off);
}
MM_KERNEL(oneHot)

/** The position of the first index outside 0 … length - 1, or -1, by one block. */
__global__ void findWrongIndex(const int32_t* indices, int64_t count, int64_t length, int64_t* wrong) {
  int64_t* first = sharedMemory<int64_t>();
  int64_t mine = count;
  for (int64_t i = threadIdx.x; i < count && mine == count; i += blockDim.x)
    if (indices[i] < 0 || indices[i] >= length) mine = i;
  first[threadIdx.x] = mine;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < static_cast<int>(blockDim.x); i++) mine = mine < first[i] ? mine : first[i];
  *wrong = mine == count ? -1 : mine;
}
template <class T>
__global__ void gatherKernel(const T* x, const int32_t* indices, T* out, int64_t rows, int64_t outer, int64_t length,
                             int64_t count, int64_t inner) {
  forThread(rows * inner, [&](int64_t i) {
    const int64_t row = i / inner, o = row / count, b = o / outer;
    out[i] = x[(o * length + indices[b * count + row % count]) * inner + i % inner];
  });
}
template <class T>
static void gatherRows(const T* x, const int32_t* indices, T* out, int64_t batch, int64_t outer, int64_t length,
                       int64_t count, int64_t inner) {
  const int64_t rows = batch * outer * count;
  launch(gatherKernel<T>, blocksFor(rows * inner), dim3(blockThreads), 0, x, indices, out, rows, outer, length, count, inner);
}
/**
 * out[batch][outer][i][inner] = x[batch][outer][indices[batch][i]][inner]; sizes of inner in bytes. Gives the position of
 * the first index outside 0 … length - 1, and then does nothing; or -1. For that it waits for the GPU.
 */
static int64_t gather(const uint8_t* x, const int32_t* indices, uint8_t* out, int64_t batch, int64_t outer, int64_t length,
                      int64_t count, int64_t innerBytes) {
  DeviceScratch<int64_t> found(1);
  int64_t wrong;
  launch(findWrongIndex, dim3(1), dim3(blockThreads), blockThreads * sizeof(int64_t), indices, batch * count, length, found);
  copyFromBuffer(&wrong, found, sizeof wrong);
  if (wrong >= 0) return wrong;
  constexpr int64_t word = sizeof(int32_t);
  if (innerBytes % word == 0)
    gatherRows(reinterpret_cast<const int32_t*>(x), indices, reinterpret_cast<int32_t*>(out), batch, outer, length, count,
               innerBytes / word);
  else gatherRows(x, indices, out, batch, outer, length, count, innerBytes);
  return -1;
}
MM_KERNEL(gather)

/** One thread for each column adds the rows in their order. */
__global__ void segmentSums(const float* x, const int32_t* segments, float* out, int64_t rows, int64_t inner,
                            int64_t segmentCount) {
  forThread(inner, [&](int64_t column) {
    for (int64_t row = 0; row < rows; row++) {
      const int64_t segment = segments[row];
      if (segment >= 0 && segment < segmentCount) out[segment * inner + column] += x[row * inner + column];
    }
  });
}
/** out[segment][inner] = sum of the rows x[row][inner] of that segment; rows elsewhere are left out. */
static void unsortedSegmentSum(const float* x, const int32_t* segments, float* out, int64_t rows, int64_t inner,
                               int64_t segmentCount) {
  clear(out, segmentCount * inner * sizeof(float));
  launch(segmentSums, blocksFor(inner), dim3(blockThreads), 0, x, segments, out, rows, inner, segmentCount);
}
MM_KERNEL(unsortedSegmentSum)

}  // namespace mm::cuda
