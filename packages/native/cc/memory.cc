#include "memory.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <unordered_map>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace mm {
namespace {

constexpr size_t hugePage = 2 << 20;

std::atomic<size_t> liveBytes{0}, cachedBytes{0}, scratchBytes{0}, peakBytes{0}, freshBuffers{0};

void notePeak() {
  const size_t now = liveBytes + cachedBytes + scratchBytes;
  for (size_t peak = peakBytes; now > peak && !peakBytes.compare_exchange_weak(peak, now);) {
  }
}

/** Sizes are rounded up to eighths of a power of two, so a buffer wastes at most an eighth and is easily used again. */
size_t sizeClass(size_t bytes) {
  if (bytes <= 8 * alignment) return std::max(alignment, (bytes + alignment - 1) / alignment * alignment);
  const size_t step = std::bit_floor(bytes - 1) / 8;
  return (bytes + step - 1) / step * step;
}

/** Large buffers lie in pages of 2 MB where the system has them: fewer faults, and fewer misses of the page table's cache. */
void* fresh(size_t bytes) {
  const bool large = bytes >= hugePage;
  void* buffer = nullptr;
  if (posix_memalign(&buffer, large ? hugePage : alignment, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (large) madvise(buffer, bytes, MADV_HUGEPAGE);
#endif
  return buffer;
}

struct FreeBuffer {
  void* buffer;
  size_t released;  // its place in the order of all releases
};
struct Cache {
  std::unordered_map<void*, size_t> sizes;         // of live buffers
  std::map<size_t, std::vector<FreeBuffer>> free;  // by size class, the one freed last at the end; no list is empty
  size_t releases = 0;
  size_t mostLive = 0;  // bytes, so far
};
Cache& cache() {
  static auto* instance = new Cache;
  return *instance;
}

/** Returns the buffer to the system that has waited longest. */
void dropOldest() {
  auto& free = cache().free;
  auto oldest = free.begin();
  for (auto list = free.begin(); list != free.end(); list++)
    if (list->second.front().released < oldest->second.front().released) oldest = list;
  auto& [size, list] = *oldest;
  std::free(list.front().buffer);
  cachedBytes -= size;
  list.erase(list.begin());
  if (list.empty()) free.erase(oldest);
}

/**
 * What is kept may exceed the most that was ever in use by half of it, and by a little: where sizes keep changing, buffers
 * that nothing fits any more would else pile up.
 */
void makeRoom(size_t bytes) {
  constexpr size_t little = 64 << 20;
  const size_t most = std::max<size_t>(cache().mostLive, liveBytes + bytes);
  while (cachedBytes > 0 && liveBytes + cachedBytes + bytes > most + most / 2 + little) dropOldest();
}

}  // namespace

/**
 * A free buffer may be this many times too large: where lengths vary from step to step, every class would else keep
 * buffers of its own.
 */
constexpr size_t mostTooLarge = 2;

void* allocate(size_t bytes) {
  size_t size = sizeClass(bytes);
  auto& [sizes, free, releases, mostLive] = cache();
  void* buffer;
  if (const auto fitting = free.lower_bound(size); fitting != free.end() && fitting->first <= mostTooLarge * size) {
    size = fitting->first;
    auto& list = fitting->second;
    buffer = list.back().buffer;
    list.pop_back();
    if (list.empty()) free.erase(fitting);
    cachedBytes -= size;
  } else {
    makeRoom(size);
    try {
      buffer = fresh(size);
    } catch (const std::bad_alloc&) {
      releaseCache();  // the memory may all be here, in other sizes
      buffer = fresh(size);
    }
    freshBuffers++;
  }
  sizes[buffer] = size;
  liveBytes += size;
  mostLive = std::max<size_t>(mostLive, liveBytes);
  notePeak();
  return buffer;
}

void release(void* buffer) {
  auto& [sizes, free, releases, mostLive] = cache();
  const auto found = sizes.find(buffer);
  if (found == sizes.end()) return;
  const size_t size = found->second;
  sizes.erase(found);
  liveBytes -= size;
  cachedBytes += size;
  free[size].push_back({buffer, releases++});
}

void releaseCache() {
  for (auto& [size, list] : cache().free) {
    for (const FreeBuffer& waiting : list) std::free(waiting.buffer);
    cachedBytes -= size * list.size();
  }
  cache().free.clear();
}

MemoryUse memoryUse() {
  const auto count = [](const std::atomic<size_t>& value) { return static_cast<double>(value.load()); };
  return {count(liveBytes), count(cachedBytes), count(peakBytes), count(freshBuffers), count(scratchBytes)};
}

void resetPeakMemory() {
  peakBytes = 0;
  notePeak();
}

// ---- scratch --------------------------------------------------------------------------------------------------------

namespace {

struct Block {
  char* data;
  size_t size;
};
/** Blocks that never move; when all are free again and there are several, one block of their total size replaces them. */
struct alignas(128) Arena {
  std::vector<Block> blocks;
  size_t block = 0;
  size_t offset = 0;
};

constexpr int maximalThreads = 1024;
constexpr size_t smallestBlock = hugePage;

Arena& arena(int thread) {
  static auto* arenas = new Arena[maximalThreads];
  return arenas[thread];
}

void addBlock(Arena& arena, size_t bytes) {
  arena.blocks.push_back({static_cast<char*>(fresh(bytes)), bytes});
  scratchBytes += bytes;
  notePeak();
}

}  // namespace

Scratch::Scratch(int thread) : thread_(thread), block_(arena(thread).block), offset_(arena(thread).offset) {}

Scratch::~Scratch() {
  Arena& a = arena(thread_);
  a.block = block_;
  a.offset = offset_;
  if (block_ == 0 && offset_ == 0 && a.blocks.size() > 1) {
    size_t total = 0;
    for (const Block& block : a.blocks) {
      total += block.size;
      std::free(block.data);
    }
    a.blocks.clear();
    scratchBytes -= total;
    addBlock(a, total);
  }
}

void* Scratch::takeBytes(size_t bytes) {
  Arena& a = arena(thread_);
  // One line apart, so that neighbours never share a cache line nor a store-forwarding alias of 4 KiB.
  bytes = (bytes + alignment - 1) / alignment * alignment + alignment;
  while (a.block < a.blocks.size() && a.offset + bytes > a.blocks[a.block].size) {
    a.block++;
    a.offset = 0;
  }
  if (a.block == a.blocks.size()) {
    addBlock(a, std::max(smallestBlock, sizeClass(bytes)));
    a.offset = 0;
  }
  void* taken = a.blocks[a.block].data + a.offset;
  a.offset += bytes;
  return taken;
}

}  // namespace mm
