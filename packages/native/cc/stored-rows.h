// Rows of weights as they are stored: fp32, bf16, or 8-bit integers with a factor for each row. What waits for memory
// reads them where they stand and widens them in registers: half or a quarter of the bytes is half or a quarter of the time.
#pragma once
#include <algorithm>
#include "simd.h"

namespace mm::MM_ISA {

typedef uint16_t Halves __attribute__((vector_size(MM_LANES * 2), aligned(2), may_alias));
typedef int8_t Bytes __attribute__((vector_size(MM_LANES), aligned(1), may_alias));

/** `lanes` stored numbers, before their row's factor. bf16 is the upper half of a float. */
MM_INLINE Floats widen(const float* p) { return load(p); }
MM_INLINE Floats widen(const uint16_t* p) {
#if MM_LANES == 16 && defined(__AVX512F__)
  return (Floats)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16);
#elif MM_LANES == 8 && defined(__AVX2__)
  return (Floats)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16);
#else
  return (Floats)(__builtin_convertvector(*reinterpret_cast<const Halves*>(p), Words) << 16);
#endif
}
MM_INLINE Floats widen(const int8_t* p) {
#if MM_LANES == 16 && defined(__AVX512F__)
  return (Floats)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif MM_LANES == 8 && defined(__AVX2__)
  return (Floats)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#else
  return __builtin_convertvector(__builtin_convertvector(*reinterpret_cast<const Bytes*>(p), Ints), Floats);
#endif
}

/** The first `count` of them, zeros behind. */
template <class Number>
MM_INLINE Floats widenFirst(const Number* p, int64_t count) {
  if (count >= lanes) return widen(p);
  if constexpr (std::is_same_v<Number, float>) return loadFirst(p, count);
  Number first[lanes] = {};
  std::copy_n(p, std::max<int64_t>(0, count), first);
  return widen(first);
}

/** Rows `stride` numbers apart; `factor` holds one number a row, or is null where all are 1. */
template <class Number>
struct StoredRows {
  const Number* data;
  int64_t stride;
  const float* factor = nullptr;

  const Number* operator[](int64_t row) const { return data + row * stride; }
  float factorOf(int64_t row) const { return factor == nullptr ? 1 : factor[row]; }
  StoredRows from(int64_t row) const { return {(*this)[row], stride, factor == nullptr ? nullptr : factor + row}; }
};

/** to[i] = row[i]·factor, for `width` numbers. */
template <class Number>
void unpackRow(const Number* row, float factor, int64_t width, float* to) {
  for (int64_t i = 0; i < width; i += lanes) storeFirst(to + i, factor * widenFirst(row + i, width - i), width - i);
}

/** Calls function(data as what is stored there): 8-bit integers where `bytes` is set, else bf16. */
template <class Function>
MM_INLINE void withStored(const void* data, bool bytes, Function&& function) {
  if (bytes) function(static_cast<const int8_t*>(data));
  else function(static_cast<const uint16_t*>(data));
}

}  // namespace mm::MM_ISA
