// Starting kernels from the host. All work of the process goes to one stream, in order; nothing here waits for the GPU.
#pragma once
#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "../cc/memory.h"
#include "device.h"

namespace mm::cuda {

#ifdef __CUDACC__
/** Throws std::runtime_error that says what was being done. */
inline void check(cudaError_t status, const char* doing) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string("CUDA failed ") + doing + ": " + cudaGetErrorString(status));
}
using Stream = cudaStream_t;
/** The stream of all kernels and copies. */
Stream stream();
#endif

/** Starts kernel(arguments…) on a grid of blocks, each with so many bytes of shared memory. An empty grid does nothing. */
template <class... Parameter, class... Given>
void launch(void (*kernel)(Parameter...), dim3 grid, dim3 block, size_t sharedBytes, const Given&... given) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#ifdef __CUDACC__
  constexpr size_t withoutAsking = 48 << 10;
  if (sharedBytes > withoutAsking) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(sharedBytes)),
          "asking for shared memory");
  }
  kernel<<<grid, block, sharedBytes, stream()>>>(static_cast<Parameter>(given)...);
  check(cudaGetLastError(), "starting a kernel");
#else
  auto thread = [&] { kernel(static_cast<Parameter>(given)...); };
  emulation::run(grid, block, sharedBytes, [](void* context) { (*static_cast<decltype(thread)*>(context))(); }, &thread);
#endif
}

inline int64_t divideUp(int64_t count, int64_t by) { return (count + by - 1) / by; }

/** Threads of a block where nothing asks for another number. */
constexpr int blockThreads = 256;
/** Most blocks of a grid whose threads take several elements each. */
constexpr int64_t mostBlocks = 1 << 16;

/** Blocks for `count` elements, one thread each, or several where there are very many. */
inline dim3 blocksFor(int64_t count, int64_t perBlock = blockThreads) {
  return dim3(static_cast<unsigned>(std::min(mostBlocks, divideUp(count, perBlock))));
}

/** Calls body(i) for this thread's share of 0 … count - 1, in a grid of blocksFor(count). */
template <class Body>
MM_DEVICE void forThread(int64_t count, Body&& body) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) body(i);
}

/** The same with one warp for each i: all of its lanes call body(i). */
template <class Body>
MM_DEVICE void forWarp(int64_t count, Body&& body) {
  const int64_t warps = blockDim.x / warpLanes, step = gridDim.x * warps;
  for (int64_t i = blockIdx.x * warps + warpOfBlock(); i < count; i += step) body(i);
}
inline dim3 warpBlocksFor(int64_t count) { return blocksFor(count, blockThreads / warpLanes); }

/** Memory of the GPU for the length of one call. Kernels that still use it were started before whatever takes it next. */
template <class T = float>
class DeviceScratch {
 public:
  explicit DeviceScratch(int64_t count) : memory_(static_cast<T*>(allocate(static_cast<size_t>(count) * sizeof(T)))) {}
  ~DeviceScratch() { release(memory_); }
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;
  operator T*() const { return memory_; }

 private:
  T* memory_;
};

/** Copies a little memory of the process to the GPU, in the order of the stream; the source may change afterwards. */
void upload(void* device, const void* host, size_t bytes);
/** Fills with zero bytes, in the order of the stream. */
void clear(void* device, size_t bytes);

/** The largest shared memory that a block may ask for. */
size_t mostSharedBytes();

}  // namespace mm::cuda
