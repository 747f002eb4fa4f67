#include "memory.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <map>
#include <new>
#include <unordered_map>
#include <vector>

#include "system-memory.h"

namespace mm {
namespace {

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

struct FreeBuffer {
  void* buffer;
  size_t released;  // its place in the order of all releases
};
/** The buffers of one thread, in bytes. */
struct Cache {
  std::unordered_map<void*, size_t> sizes;         // of live buffers
  std::map<size_t, std::vector<FreeBuffer>> free;  // by size class, the one freed last at the end; no list is empty
  size_t releases = 0;
  size_t live = 0, kept = 0;
  size_t mostLive = 0;  // so far

  void addLive(int64_t change) {
    live += change;
    liveBytes += change;
    mostLive = std::max(mostLive, live);
  }
  void addKept(int64_t change) {
    kept += change;
    cachedBytes += change;
  }
  void dropKept() {
    for (auto& [size, list] : free)
      for (const FreeBuffer& waiting : list) giveToSystem(waiting.buffer);
    free.clear();
    addKept(-static_cast<int64_t>(kept));
  }
  ~Cache() {
    dropKept();
    for (const auto& [buffer, size] : sizes) giveToSystem(buffer);
    addLive(-static_cast<int64_t>(live));
  }
};
Cache& cache() {
  thread_local Cache instance;
  return instance;
}

/** Returns the buffer to the system that has waited longest. */
void dropOldest() {
  auto& free = cache().free;
  auto oldest = free.begin();
  for (auto list = free.begin(); list != free.end(); list++)
    if (list->second.front().released < oldest->second.front().released) oldest = list;
  auto& [size, list] = *oldest;
  giveToSystem(list.front().buffer);
  cache().addKept(-static_cast<int64_t>(size));
  list.erase(list.begin());
  if (list.empty()) free.erase(oldest);
}

/**
 * What is kept may exceed the most that was ever in use by half of it, and by a little: where sizes keep changing, buffers
 * that nothing fits any more would else pile up.
 */
void makeRoom(size_t bytes) {
  constexpr size_t little = 64 << 20;
  const Cache& own = cache();
  const size_t most = std::max(own.mostLive, own.live + bytes);
  while (own.kept > 0 && own.live + own.kept + bytes > most + most / 2 + little) dropOldest();
}

}  // namespace

/**
 * A free buffer may be this many times too large: where lengths vary from step to step, every class would else keep
 * buffers of its own.
 */
constexpr size_t mostTooLarge = 2;

void* allocate(size_t bytes) {
  size_t size = sizeClass(bytes);
  Cache& own = cache();
  void* buffer;
  if (const auto fitting = own.free.lower_bound(size); fitting != own.free.end() && fitting->first <= mostTooLarge * size) {
    size = fitting->first;
    auto& list = fitting->second;
    buffer = list.back().buffer;
    list.pop_back();
    if (list.empty()) own.free.erase(fitting);
    own.addKept(-static_cast<int64_t>(size));
  } else {
    makeRoom(size);
    try {
      buffer = takeFromSystem(size);
    } catch (const std::bad_alloc&) {
      releaseCache();  // the memory may all be here, in other sizes
      buffer = takeFromSystem(size);
    }
    freshBuffers++;
  }
  own.sizes[buffer] = size;
  own.addLive(static_cast<int64_t>(size));
  notePeak();
  return buffer;
}

void release(void* buffer) {
  Cache& own = cache();
  const auto found = own.sizes.find(buffer);
  if (found == own.sizes.end()) return;
  const size_t size = found->second;
  own.sizes.erase(found);
  own.addLive(-static_cast<int64_t>(size));
  own.addKept(static_cast<int64_t>(size));
  own.free[size].push_back({buffer, own.releases++});
}

size_t sizeOfBuffer(const void* buffer) {
  const auto found = cache().sizes.find(const_cast<void*>(buffer));
  return found == cache().sizes.end() ? 0 : found->second;
}

void noteScratch(int64_t change) {
  scratchBytes += change;
  notePeak();
}

void releaseCache() { cache().dropKept(); }

MemoryUse memoryUse() {
  const auto count = [](const std::atomic<size_t>& value) { return static_cast<double>(value.load()); };
  return {count(liveBytes), count(cachedBytes), count(peakBytes), count(freshBuffers), count(scratchBytes)};
}

void resetPeakMemory() {
  peakBytes = 0;
  notePeak();
}

}  // namespace mm
