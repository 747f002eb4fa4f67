// The dropout mask of a score tile, where lanes are rows of the mask (queries) and one group of eight columns (keys)
// is the same for all lanes. Much of the first three of Philox's rounds then depends on the row or on the column
// alone: the former is computed once per tile, the latter on scalars. What remains works on even and odd lanes apart,
// each as 64-bit lanes whose upper halves are ignored, so that a round needs no blending.
#pragma once
#include "../philox.h"

namespace mm::MM_ISA {

class TileDropout {
 public:
  /** What depends on the rows alone: M0·(row ⊕ k0), for even and odd lanes. */
  struct Rows {
    Longs even, odd;
  };

  explicit TileDropout(DropoutMask mask) : mask_(mask) {}

  bool active() const { return mask_.threshold != 0; }
  /** What kept numbers are multiplied by. */
  float scale() const { return mask_.scale(); }

  Rows rows(Ints row) const {
    const Words first = (Words)row ^ mask_.key0;
    return {times(m0, (Longs)first), times(m0, (Longs)first >> 32)};
  }

  /** Random words for columns 8·columnBlock … 8·columnBlock + 7 of those rows, to be asked by kept(). */
  MM_INLINE PhiloxBlock block(const Rows& rows, uint32_t columnBlock) const {
    uint32_t key0 = mask_.key0, key1 = mask_.key1;
    // Round 1 has the counter (column, row, 0, 0): words 2 and 3 depend on the column alone.
    const uint64_t column1 = uint64_t{m0} * columnBlock;
    const uint32_t word2 = high(column1) ^ key1, word3 = low(column1);
    nextKey(key0, key1);
    // Round 2: words 0 and 1 depend on the column alone, words 2 and 3 on the row too.
    const uint64_t column2 = uint64_t{m1} * word2;
    const uint32_t word0 = high(column2) ^ key0, word1 = low(column2);
    const uint32_t mix2 = word3 ^ key1;
    nextKey(key0, key1);
    // Round 3: word 3 depends on the column alone.
    const uint64_t column3 = uint64_t{m0} * word0;
    const uint32_t mix0 = word1 ^ key0, mix2Next = high(column3) ^ key1, word3Next = low(column3);
    nextKey(key0, key1);

    Longs half[2][4];
    MM_UNROLL for (int parity = 0; parity < 2; parity++) {
      const Longs rowProduct = parity ? rows.odd : rows.even;
      const Longs product = times(m1, (rowProduct >> 32) ^ uint64_t{mix2});
      half[parity][0] = (product >> 32) ^ uint64_t{mix0};
      half[parity][1] = product;
      half[parity][2] = rowProduct ^ uint64_t{mix2Next};
      half[parity][3] = Longs{} + uint64_t{word3Next};
    }
    MM_UNROLL for (int round = 3; round < dropoutRounds; round++) {
      MM_UNROLL for (int parity = 0; parity < 2; parity++) {
        Longs(&w)[4] = half[parity];
        const Longs first = times(m0, w[0]), second = times(m1, w[2]);
        w[0] = (second >> 32) ^ w[1] ^ uint64_t{key0};
        w[1] = second;
        w[2] = (first >> 32) ^ w[3] ^ uint64_t{key1};
        w[3] = first;
      }
      nextKey(key0, key1);
    }
    PhiloxBlock block;
    MM_UNROLL for (int i = 0; i < 4; i++) {
      block.word[i] = (Words)((half[0][i] & 0xffffffffu) | (half[1][i] << 32));
    }
    return block;
  }

  /** Mask of the lanes that keep column 8·columnBlock + offset. */
  MM_INLINE Ints kept(const PhiloxBlock& block, int offset) const {
    const Words word = block.word[offset >> 1];
    const Ints half = (Ints)(offset & 1 ? word >> 16 : word & 0xffffu);
    return half >= static_cast<int32_t>(mask_.threshold);
  }

 private:
  static constexpr uint32_t m0 = 0xd2511f53u, m1 = 0xcd9e8d57u;

  static uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }
  static uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
  static MM_INLINE Longs times(uint32_t factor, Longs x) { return detail::multiplyEven((Words)x, splat(factor)); }
  static MM_INLINE void nextKey(uint32_t& key0, uint32_t& key1) {
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }

  DropoutMask mask_;
};

}  // namespace mm::MM_ISA
