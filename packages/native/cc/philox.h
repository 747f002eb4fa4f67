// Philox4x32 on vectors: the same words as packages/run/src/philox.ts, `lanes` counters at a time.
#pragma once
#include "simd.h"

namespace mm::MM_ISA {

struct PhiloxBlock {
  Words word[4];
};

namespace detail {
/** 64-bit products of the even lanes. */
MM_INLINE Longs multiplyEven(Words a, Words b) {
#if MM_LANES == 16 && defined(__AVX512F__)
  return (Longs)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif MM_LANES == 8 && defined(__AVX2__)
  return (Longs)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif MM_LANES == 4 && defined(__SSE2__)
  return (Longs)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return ((Longs)a & 0xffffffffu) * ((Longs)b & 0xffffffffu);
#endif
}
struct Product {
  Words high, low;
};
MM_INLINE Product multiplyWide(Words a, uint32_t b) {
  const Words factor = splat(b);
  const Longs even = multiplyEven(a, factor);
  const Longs odd = multiplyEven((Words)((Longs)a >> 32), factor);
  constexpr uint64_t upper = 0xffffffff00000000u;
  return {(Words)((even >> 32) | (odd & upper)), (Words)((even & ~upper) | (odd << 32))};
}
}  // namespace detail

/** The block of four random words of each lane's counter (c0, c1, c2, c3). */
template <int Rounds>
MM_INLINE PhiloxBlock philox(Words c0, Words c1, Words c2, Words c3, uint32_t key0, uint32_t key1) {
  MM_UNROLL for (int round = 0; round < Rounds; round++) {
    const auto first = detail::multiplyWide(c0, 0xd2511f53u);
    const auto second = detail::multiplyWide(c2, 0xcd9e8d57u);
    c0 = second.high ^ c1 ^ key0;
    c1 = second.low;
    c2 = first.high ^ c3 ^ key1;
    c3 = first.low;
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

/** Rounds for dropout masks: the fewest that pass all of TestU01's BigCrush (Salmon et al. 2011). */
constexpr int dropoutRounds = 7;

/**
 * Dropout mask of a tensor seen as rows × columns: element (row, column) uses 16 bits of the block with counter
 * [column / 8, row, 0, 0], word (column / 2) mod 4, low half for an even column. It is kept iff half >= threshold.
 */
struct DropoutMask {
  uint32_t key0, key1;
  uint32_t threshold;  // rate · 65536, rounded; 0 keeps everything

  float scale() const { return 65536.f / (65536.f - static_cast<float>(threshold)); }

  /** Bits for eight columns (8·columnBlock …) of each lane's row. */
  MM_INLINE PhiloxBlock block(Words columnBlock, Words row) const {
    return philox<dropoutRounds>(columnBlock, row, Words{}, Words{}, key0, key1);
  }
  /** Mask of column 8·columnBlock + offset, from that block. */
  MM_INLINE Ints kept(const PhiloxBlock& block, int offset) const {
    const Words word = block.word[(offset >> 1) & 3];
    const Words half = offset & 1 ? word >> 16 : word & 0xffffu;
    return (Ints)(half >= threshold);
  }
};

}  // namespace mm::MM_ISA
