// The dialect that kernels for the GPU are written in: CUDA C++, and a few words of our own. Under nvcc these words are
// instructions of the GPU; under any other compiler the emulation on the CPU, which tests the kernels.
#pragma once
#ifdef __CUDACC__
#include <cuda_runtime.h>
#define MM_DEVICE __device__ __forceinline__
#else
#include "emulation.h"
#define MM_DEVICE inline
#endif

#include <cstdint>
#include <limits>

namespace mm::cuda {

constexpr int warpLanes = 32;

MM_DEVICE int laneOfWarp() { return static_cast<int>(threadIdx.x) % warpLanes; }
MM_DEVICE int warpOfBlock() { return static_cast<int>(threadIdx.x) / warpLanes; }

/** The block's shared memory, as large as the launch said. */
template <class T>
MM_DEVICE T* sharedMemory() {
#ifdef __CUDACC__
  extern __shared__ __align__(16) unsigned char bytes[];
  return reinterpret_cast<T*>(bytes);
#else
  return static_cast<T*>(emulation::sharedMemory());
#endif
}

// ---- between the lanes of a warp --------------------------------------------------------------------------------------

/** The value that lane `lane ^ mask` has. */
template <class T>
MM_DEVICE T shuffleXor(T value, int mask) {
#ifdef __CUDACC__
  if constexpr (sizeof(T) < sizeof(int)) return static_cast<T>(__shfl_xor_sync(0xffffffffu, static_cast<int>(value), mask));
  else return __shfl_xor_sync(0xffffffffu, value, mask);
#else
  T other;
  std::memcpy(&other, emulation::exchange(&value, sizeof(T)) + (laneOfWarp() ^ mask) * emulation::exchangeStride, sizeof(T));
  return other;
#endif
}

/** The value that lane `lane` has; the own one where there is no such lane. */
template <class T>
MM_DEVICE T shuffleFrom(T value, int lane) {
  const int source = lane >= 0 && lane < warpLanes ? lane : laneOfWarp();
#ifdef __CUDACC__
  return __shfl_sync(0xffffffffu, value, source);
#else
  T other;
  std::memcpy(&other, emulation::exchange(&value, sizeof(T)) + source * emulation::exchangeStride, sizeof(T));
  return other;
#endif
}

MM_DEVICE float sumOverWarp(float x) {
  for (int mask = warpLanes / 2; mask > 0; mask /= 2) x += shuffleXor(x, mask);
  return x;
}
/** Largest number of the warp's lanes; NaN is passed over. */
MM_DEVICE float largestOfWarp(float x) {
  for (int mask = warpLanes / 2; mask > 0; mask /= 2) x = fmaxf(x, shuffleXor(x, mask));
  return x;
}

// ---- bf16 ---------------------------------------------------------------------------------------------------------------

/** Two numbers rounded to bf16 (nearest even), `low` in the lower half. */
MM_DEVICE uint32_t pairBf16(float low, float high) {
#ifdef __CUDACC__
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  const auto round = [](float x) -> uint32_t {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    if (x != x) return 0x7fff;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  };
  return round(low) | round(high) << 16;
#endif
}
MM_DEVICE float fromBits(uint32_t bits) {
#ifdef __CUDACC__
  return __uint_as_float(bits);
#else
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
#endif
}
MM_DEVICE float lowOfPair(uint32_t pair) { return fromBits(pair << 16); }
MM_DEVICE float highOfPair(uint32_t pair) { return fromBits(pair & 0xffff0000u); }

// ---- arithmetic -----------------------------------------------------------------------------------------------------------

/** 2^x, 0 far below; exact to a few units in the last place. */
MM_DEVICE float exp2Fast(float x) {
#ifdef __CUDACC__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return std::exp2(x);
#endif
}

/** High and low halves of a 64-bit product. */
MM_DEVICE uint32_t highProduct(uint32_t a, uint32_t b) { return static_cast<uint32_t>(uint64_t{a} * b >> 32); }

constexpr float log2e = 1.44269504f;

/**
 * The tensor cores' product of a warp: d[16×8] += a[16×16]·b[16×8] with bf16 inputs in pairs along the inner axis. With
 * group = lane/4 and quad = lane%4, a lane holds
 *
 *   a[0], a[2]: row group,     columns 2·quad … +1 and 2·quad + 8 … +9;   a[1], a[3]: the same of row group + 8
 *   b[0], b[1]: column group,  rows 2·quad … +1 and 2·quad + 8 … +9
 *   d[0], d[1]: row group,     columns 2·quad, 2·quad + 1;                d[2], d[3]: the same of row group + 8
 */
MM_DEVICE void multiplyTile(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef __CUDACC__
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  struct Held {
    uint32_t a[4], b[2];
  } own;
  std::memcpy(own.a, a, sizeof own.a);
  std::memcpy(own.b, b, sizeof own.b);
  const char* slots = emulation::exchange(&own, sizeof own);
  const auto held = [&](int lane) {
    Held other;
    std::memcpy(&other, slots + lane * emulation::exchangeStride, sizeof other);
    return other;
  };
  const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
  for (int i = 0; i < 4; i++) {
    const int row = i / 2, column = 2 * quad + i % 2;
    float sum = 0;
    for (int pair = 0; pair < 8; pair++) {
      const uint32_t left = held(4 * group + pair % 4).a[row + pair / 4 * 2];
      const uint32_t right = held(4 * column + pair % 4).b[pair / 4];
      sum += lowOfPair(left) * lowOfPair(right) + highOfPair(left) * highOfPair(right);
    }
    d[i] += sum;
  }
#endif
}

}  // namespace mm::cuda
