// CUDA's execution model on a CPU, for tests on machines without a GPU: a grid's blocks run one after the other, the
// threads of a block as fibers that give way where they wait for each other. Slow, and strict: shared memory starts as
// NaN, a barrier that some thread never reaches is an error, and the order in which threads run between two barriers can
// be changed, so that a missing barrier shows as a changed result.
//
// device.h includes this where the compiler is not nvcc; nothing else does.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#define __global__
#define __device__
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

namespace mm::emulation {

/** Threads of a warp. */
constexpr int warpSize = 32;

/** Order in which the threads of a block run between two barriers: 1 forwards, 2 backwards, 3 shuffled. */
void setOrder(int order);

/** Runs `thread(context)` for every thread of every block. */
void run(dim3 grid, dim3 block, size_t sharedBytes, void (*thread)(void* context), void* context);

// ---- for running threads ----------------------------------------------------------------------------------------------

extern dim3 gridSize, blockSize, blockPosition, threadPosition;

/** The block's shared memory. */
void* sharedMemory();
/** Waits for all threads of the block. */
void waitForBlock();
/** Waits for all threads of the warp. */
void waitForWarp();

/**
 * Hands `bytes` bytes to the other lanes of the warp and gives the place of what lane 0 handed over; the others' follow,
 * `exchangeStride` bytes apart. Valid until the next exchange but one.
 */
constexpr size_t exchangeStride = 32;
const char* exchange(const void* value, size_t bytes);

}  // namespace mm::emulation

#define gridDim (::mm::emulation::gridSize)
#define blockDim (::mm::emulation::blockSize)
#define blockIdx (::mm::emulation::blockPosition)
#define threadIdx (::mm::emulation::threadPosition)

inline void __syncthreads() { mm::emulation::waitForBlock(); }
inline void __syncwarp() { mm::emulation::waitForWarp(); }
