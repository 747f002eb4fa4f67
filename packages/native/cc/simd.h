// Vectors of `lanes` 32-bit numbers through the GCC/Clang vector extensions: one source for AVX-512 (16 lanes), AVX2 (8),
// SSE2 and NEON (4). The build compiles each unit once per instruction set and names it with
//
//   MM_ISA    namespace of the instruction set: baseline, avx2, avx512, avx512bf16, or wide (16 lanes on AVX2, for tests)
//   MM_LANES  floats per vector
//   MM_PAIRS  1 where bf16 products run on packed pairs (dpbf16 or its emulation), 0 where bf16 is only rounded fp32
//
// Everything here lives in mm::MM_ISA and is inlined, so that no code for one instruction set can be linked into another.
// Only the few operations that the extensions cannot express well, or that compilers do not recognise in them, use intrinsics, each beside a plain equivalent.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#if defined(__AVX__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>  // a second less to compile
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#ifndef MM_ISA
#error "Compile through scripts/build.mjs, which names the instruction set."
#endif

#define MM_INLINE inline __attribute__((always_inline))
#define MM_INLINED __attribute__((always_inline))  // of a lambda
// Loops over register arrays must be unrolled completely, or the array goes to the stack.
#define MM_UNROLL _Pragma("GCC unroll 32")

namespace mm::MM_ISA {

constexpr int lanes = MM_LANES;
constexpr bool pairedBf16 = MM_PAIRS;

typedef float Floats __attribute__((vector_size(MM_LANES * 4)));
typedef int32_t Ints __attribute__((vector_size(MM_LANES * 4)));
typedef uint32_t Words __attribute__((vector_size(MM_LANES * 4)));
typedef uint64_t Longs __attribute__((vector_size(MM_LANES * 4)));
typedef float UnalignedFloats __attribute__((vector_size(MM_LANES * 4), aligned(4), may_alias));
typedef int32_t UnalignedInts __attribute__((vector_size(MM_LANES * 4), aligned(4), may_alias));

// ---- values ------------------------------------------------------------------------------------------------------

/** The same number in every lane (subtraction, because adding would turn -0 into 0). */
MM_INLINE Floats splat(float x) { return x - Floats{}; }
MM_INLINE Ints splat(int32_t x) { return x + Ints{}; }
MM_INLINE Words splat(uint32_t x) { return x + Words{}; }

namespace detail {
template <int... I>
MM_INLINE Ints laneIndex(std::integer_sequence<int, I...>) {
  return Ints{I...};
}
}  // namespace detail
/** 0, 1, …, lanes - 1. */
MM_INLINE Ints laneIndex() { return detail::laneIndex(std::make_integer_sequence<int, lanes>()); }

/** All bits set in the first `count` lanes; any count, also negative or beyond the vector. */
MM_INLINE Ints firstLanes(int64_t count) {
  const int32_t n = count < 0 ? 0 : count > lanes ? lanes : static_cast<int32_t>(count);
  return laneIndex() < splat(n);
}
/** Bits of `a` where the mask is set, of `b` elsewhere. */
MM_INLINE Floats select(Ints mask, Floats a, Floats b) { return mask ? a : b; }
MM_INLINE Ints select(Ints mask, Ints a, Ints b) { return mask ? a : b; }
MM_INLINE bool anyLane(Ints mask) {
  const Longs words = (Longs)mask;
  uint64_t all = 0;
  for (int i = 0; i < lanes / 2; i++) all |= words[i];
  return all != 0;
}
/** `a` where the mask is set, +0 elsewhere. */
MM_INLINE Floats keep(Ints mask, Floats a) { return (Floats)(mask & (Ints)a); }

/** a·b + c in one rounding where the machine can (units are compiled with -ffp-contract=fast). */
MM_INLINE Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
/** Larger of two, `b` when they do not compare (so pass the running maximum as `b` to skip NaN, as `a` never). */
MM_INLINE Floats max(Floats a, Floats b) {
#if MM_LANES == 16 && defined(__AVX512F__)
  return (Floats)_mm512_max_ps((__m512)a, (__m512)b);
#elif MM_LANES == 8 && defined(__AVX__)
  return (Floats)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return a > b ? a : b;
#endif
}
MM_INLINE Floats min(Floats a, Floats b) {
#if MM_LANES == 16 && defined(__AVX512F__)
  return (Floats)_mm512_min_ps((__m512)a, (__m512)b);
#elif MM_LANES == 8 && defined(__AVX__)
  return (Floats)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return a < b ? a : b;
#endif
}
MM_INLINE Floats abs(Floats a) { return (Floats)((Ints)a & 0x7fffffff); }

MM_INLINE Floats sqrt(Floats a) {
#if MM_LANES == 16 && defined(__AVX512F__)
  return (Floats)_mm512_sqrt_ps((__m512)a);
#elif MM_LANES == 8 && defined(__AVX__)
  return (Floats)_mm256_sqrt_ps((__m256)a);
#else
  Floats root;
  for (int i = 0; i < lanes; i++) root[i] = __builtin_sqrtf(a[i]);
  return root;
#endif
}

// ---- memory: no alignment needed, `First` touches only the first `count` numbers -----------------------------------

MM_INLINE Floats load(const float* p) { return *reinterpret_cast<const UnalignedFloats*>(p); }
MM_INLINE Ints load(const int32_t* p) { return *reinterpret_cast<const UnalignedInts*>(p); }
MM_INLINE void store(float* p, Floats v) { *reinterpret_cast<UnalignedFloats*>(p) = v; }
MM_INLINE void store(int32_t* p, Ints v) { *reinterpret_cast<UnalignedInts*>(p) = v; }

/** The first `count` numbers, zeros behind them. */
MM_INLINE Floats loadFirst(const float* p, int64_t count) {
  if (count >= lanes) return load(p);
#if MM_LANES == 16 && defined(__AVX512F__)
  return (Floats)_mm512_maskz_loadu_ps(count <= 0 ? 0 : (1u << count) - 1, p);
#elif MM_LANES == 8 && defined(__AVX__)
  return (Floats)_mm256_maskload_ps(p, (__m256i)firstLanes(count));
#else
  Floats v = {};
  for (int i = 0; i < count; i++) v[i] = p[i];
  return v;
#endif
}
MM_INLINE void storeFirst(float* p, Floats v, int64_t count) {
  if (count >= lanes) return store(p, v);
#if MM_LANES == 16 && defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, count <= 0 ? 0 : (1u << count) - 1, (__m512)v);
#elif MM_LANES == 8 && defined(__AVX__)
  _mm256_maskstore_ps(p, (__m256i)firstLanes(count), (__m256)v);
#else
  for (int i = 0; i < count; i++) p[i] = v[i];
#endif
}

/** Calls body(c, count) for each vector c … c + count - 1 of a row: `count` is the constant `lanes` for all but the last. */
template <class Body>
MM_INLINE void forVectors(int64_t width, Body&& body) {
  int64_t c = 0;
  for (; c + lanes <= width; c += lanes) body(c, std::integral_constant<int64_t, lanes>());
  if (c < width) body(c, width - c);
}

// ---- shuffles ----------------------------------------------------------------------------------------------------

namespace detail {
template <class Pattern, int... I>
MM_INLINE Floats shuffleLanes(Floats a, Floats b, std::integer_sequence<int, I...>) {
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
  return __builtin_shufflevector(a, b, Pattern::at(I)...);
#else
  return __builtin_shuffle(a, b, Ints{Pattern::at(I)...});
#endif
}
}  // namespace detail
/** Lane i of the result is lane Pattern::at(i) of the `2·lanes` numbers a, b. */
template <class Pattern>
MM_INLINE Floats shuffle(Floats a, Floats b) {
  return detail::shuffleLanes<Pattern>(a, b, std::make_integer_sequence<int, lanes>());
}

namespace detail {
// Patterns within blocks of four lanes, each one instruction on x86: a0 b0 a1 b1 | a2 b2 a3 b3 | a0 a1 b0 b1 | a2 a3 b2 b3.
template <int Half>
struct InterleaveSingles {
  static constexpr int at(int i) { return (i & ~3) + 2 * Half + (i & 3) / 2 + (i & 1) * lanes; }
};
// Even (odd) lanes of each block of a, then of b's.
template <int Odd>
struct AlternateLanes {
  static constexpr int at(int i) { return (i & ~3) + 2 * (i & 1) + Odd + ((i & 2) ? lanes : 0); }
};
template <int Half>
struct InterleavePairs {
  static constexpr int at(int i) { return (i & ~3) + 2 * Half + (i & 1) + ((i & 2) ? lanes : 0); }
};
// Even (odd) blocks of four lanes of a and b in turn.
template <int Odd>
struct AlternateHalves {
  static constexpr int at(int i) { return (i / 8 * 2 + Odd) * 4 + i % 4 + (i & 4 ? lanes : 0); }
};
// Even (odd) blocks of four lanes of a, then of b.
template <int Odd>
struct AlternateBlocks {
  static constexpr int at(int i) {
    const int block = i / 4 * 2 + Odd;  // among the 2·lanes/4 blocks of a, b
    return block * 4 + i % 4;
  }
};

/** Transposes squares of 4 × 4: afterwards block b of r[4g + j] holds what were columns 4b + j of rows 4g … 4g + 3. */
template <int Rows>
MM_INLINE void transposeBlocks(Floats (&r)[Rows]) {
  Floats t[Rows];
  MM_UNROLL for (int i = 0; i < Rows; i += 2) {
    t[i] = shuffle<InterleaveSingles<0>>(r[i], r[i + 1]);
    t[i + 1] = shuffle<InterleaveSingles<1>>(r[i], r[i + 1]);
  }
  MM_UNROLL for (int i = 0; i < Rows; i += 4) {
    r[i] = shuffle<InterleavePairs<0>>(t[i], t[i + 2]);
    r[i + 1] = shuffle<InterleavePairs<1>>(t[i], t[i + 2]);
    r[i + 2] = shuffle<InterleavePairs<0>>(t[i + 1], t[i + 3]);
    r[i + 3] = shuffle<InterleavePairs<1>>(t[i + 1], t[i + 3]);
  }
}
}  // namespace detail

#if MM_LANES == 16
/** Transposes the two squares of 8 × 8 numbers in the lower and the upper halves of eight vectors. */
MM_INLINE void transposeHalves(Floats (&r)[8]) {
  using namespace detail;
  transposeBlocks(r);
  MM_UNROLL for (int j = 0; j < 4; j++) {
    const Floats lower = r[j], upper = r[4 + j];
    r[j] = shuffle<AlternateHalves<0>>(lower, upper);
    r[4 + j] = shuffle<AlternateHalves<1>>(lower, upper);
  }
}
#endif

/** Transposes a square of lanes × lanes numbers held in registers. */
MM_INLINE void transpose(Floats (&r)[lanes]) {
  using namespace detail;
  Floats t[lanes];
  transposeBlocks(r);
  // Blocks that belong to one column are gathered by taking even and odd blocks of pairs of rows, once or twice.
  if constexpr (lanes == 8) {
    MM_UNROLL for (int j = 0; j < 4; j++) {
      t[j] = shuffle<AlternateBlocks<0>>(r[j], r[4 + j]);
      t[4 + j] = shuffle<AlternateBlocks<1>>(r[j], r[4 + j]);
    }
    MM_UNROLL for (int i = 0; i < lanes; i++) r[i] = t[i];
  }
  if constexpr (lanes == 16) {
    MM_UNROLL for (int j = 0; j < 4; j++) {
      MM_UNROLL for (int half = 0; half < lanes; half += 8) {
        t[half + j] = shuffle<AlternateBlocks<0>>(r[half + j], r[half + 4 + j]);
        t[half + 4 + j] = shuffle<AlternateBlocks<1>>(r[half + j], r[half + 4 + j]);
      }
    }
    MM_UNROLL for (int j = 0; j < 8; j++) {
      r[j] = shuffle<AlternateBlocks<0>>(t[j], t[8 % lanes + j]);
      r[8 % lanes + j] = shuffle<AlternateBlocks<1>>(t[j], t[8 % lanes + j]);
    }
  }
}

namespace detail {
template <int Distance>
struct Rotate {
  static constexpr int at(int i) { return (i + Distance) % lanes; }
};
template <int Distance, class Combine>
MM_INLINE float reduce(Floats v, Combine combine) {
  if constexpr (Distance == 0) {
    return v[0];
  } else {
    return reduce<Distance / 2>(combine(v, shuffle<Rotate<Distance>>(v, v)), combine);
  }
}
}  // namespace detail
/** Sum over the lanes, by halves: always in the same order. */
MM_INLINE float sum(Floats v) {
  return detail::reduce<lanes / 2>(v, [](Floats a, Floats b) { return a + b; });
}
MM_INLINE float maximum(Floats v) {
  return detail::reduce<lanes / 2>(v, [](Floats a, Floats b) { return max(a, b); });
}

/**
 * Lane i: the sum over the lanes of r[i], in an order that is the same for all i. Each round adds neighbours, lanes in two
 * rounds and then blocks of four, and puts what is left of two vectors into one: three instructions for each sum.
 */
MM_INLINE Floats sums(Floats (&r)[lanes]) {
  using namespace detail;
  MM_UNROLL for (int count = lanes / 2; count >= lanes / 4; count /= 2) {
    MM_UNROLL for (int i = 0; i < count; i++)
      r[i] = shuffle<AlternateLanes<0>>(r[2 * i], r[2 * i + 1]) + shuffle<AlternateLanes<1>>(r[2 * i], r[2 * i + 1]);
  }
  MM_UNROLL for (int count = lanes / 8; count >= 1; count /= 2) {
    MM_UNROLL for (int i = 0; i < count; i++)
      r[i] = shuffle<AlternateBlocks<0>>(r[2 * i], r[2 * i + 1]) + shuffle<AlternateBlocks<1>>(r[2 * i], r[2 * i + 1]);
  }
  return r[0];
}
/** Lane i < count: the sum over the lanes of vector(i); 0 in the others. */
template <class Vector>
MM_INLINE Floats sumsOf(int64_t count, Vector&& vector) {
  Floats r[lanes];
  for (int64_t i = 0; i < lanes; i++) r[i] = i < count ? vector(i) : Floats{};
  return sums(r);
}

}  // namespace mm::MM_ISA
