// Work on rows shared among threads, and sums over rows that do not depend on the number of threads: rows are cut into blocks by their number alone, every
// block has sums of its own, and these are added up in order.
#pragma once
#include <cstring>
#include "../memory.h"
#include "../threads.h"
#include "../simd.h"

namespace mm::MM_ISA {

/** Rows that one task of cheap work on rows should take. */
inline int64_t rowGrain(int64_t columns) {
  return std::max<int64_t>(1, elementwiseGrain / std::max<int64_t>(1, columns));
}

/** Blocks that rows × columns numbers are cut into: enough for many threads, few enough to add up quickly. */
inline int64_t rowBlocks(int64_t rows, int64_t columns) {
  const int64_t blocks = rows * columns / elementwiseGrain;
  return std::clamp<int64_t>(blocks, 1, 64);
}

/**
 * Calls body(begin, end, sums) for each block of rows with sums[columns] cleared, then writes the total of the sums.
 */
template <class Body>
void sumRowBlocks(int64_t rows, int64_t columns, int64_t sumCount, float* total, Body&& body) {
  const int64_t blocks = rowBlocks(rows, columns);
  Scratch shared(0);
  float* parts = shared.floats(blocks * sumCount);
  parallelFor(blocks, [&](int64_t block, int) {
    float* sums = parts + block * sumCount;
    std::memset(sums, 0, sumCount * sizeof(float));
    body(rows * block / blocks, rows * (block + 1) / blocks, sums);
  });
  for (int64_t i = 0; i < sumCount; i += lanes) {
    Floats all = {};
    for (int64_t block = 0; block < blocks; block++) all += loadFirst(parts + block * sumCount + i, sumCount - i);
    storeFirst(total + i, all, sumCount - i);
  }
}

}  // namespace mm::MM_ISA
