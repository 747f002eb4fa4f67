#include "system-memory.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "memory.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace mm {

constexpr size_t hugePage = 2 << 20;

/** Large buffers lie in pages of 2 MB where the system has them: fewer faults, and fewer misses of the page table's cache. */
void* takeFromSystem(size_t bytes) {
  const bool large = bytes >= hugePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, large ? hugePage : alignment, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}
void giveToSystem(void* memory) { std::free(memory); }

void copyToBuffer(void* buffer, const void* values, size_t bytes) {
  if (bytes > 0) std::memcpy(buffer, values, bytes);
}
void copyFromBuffer(void* values, const void* buffer, size_t bytes) {
  if (bytes > 0) std::memcpy(values, buffer, bytes);
}

void synchronize() {}  // kernels of the CPU run to their end before they return

}  // namespace mm
