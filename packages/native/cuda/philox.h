// Random bits of dropout masks: the same words as cc/philox.h, one counter at a time.
#pragma once
#include "device.h"

namespace mm::cuda {

struct PhiloxBlock {
  uint32_t word[4];
};

/** Key of a tensor's mask; element (row, column) is kept iff its 16 bits are at least the threshold. */
struct DropoutMask {
  uint32_t key0, key1;
  uint32_t threshold;  // rate · 65536, rounded; 0 keeps everything

  MM_DEVICE bool active() const { return threshold != 0; }
  MM_DEVICE float scale() const { return 65536.f / (65536.f - static_cast<float>(threshold)); }

  /** Bits of columns 8·columnBlock … 8·columnBlock + 7 of a row, 16 for each, low halves first. */
  MM_DEVICE PhiloxBlock block(uint32_t columnBlock, uint32_t row) const {
    constexpr int rounds = 7;
    uint32_t c0 = columnBlock, c1 = row, c2 = 0, c3 = 0, k0 = key0, k1 = key1;
    for (int round = 0; round < rounds; round++) {
      const uint32_t low0 = c0 * 0xd2511f53u, high0 = highProduct(c0, 0xd2511f53u);
      const uint32_t low1 = c2 * 0xcd9e8d57u, high1 = highProduct(c2, 0xcd9e8d57u);
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 += 0x9e3779b9u;
      k1 += 0xbb67ae85u;
    }
    return {{c0, c1, c2, c3}};
  }
  /** Whether column 8·columnBlock + offset is kept. */
  MM_DEVICE bool keeps(const PhiloxBlock& block, int offset) const {
    const uint32_t word = block.word[offset / 2];
    return (offset % 2 == 0 ? word & 0xffffu : word >> 16) >= threshold;
  }
};

}  // namespace mm::cuda
