// Memory of tensors and of kernels. A fresh page costs a page fault (0.35 ms per MB), so freed tensor buffers are kept
// and handed out again, and scratch memory stays with its thread. What a thread has taken is returned when it ends.
#pragma once
#include <cstddef>
#include <cstdint>

namespace mm {

/** Bytes between the starts of cache lines; every buffer starts on one. */
constexpr size_t alignment = 64;

// ---- tensor buffers (each belongs to the JavaScript thread that took it) --------------------------------------------

/** A buffer of at least `bytes`, not cleared. Throws std::bad_alloc. */
void* allocate(size_t bytes);
/** Gives a buffer back to the cache. */
void release(void* buffer);
/** Bytes of a buffer that is in use; 0 for any other address. */
size_t sizeOfBuffer(const void* buffer);
/** Returns every cached buffer of this thread to the system. */
void releaseCache();

/** Of all threads together. */
struct MemoryUse {
  double live;    // bytes in buffers that are in use
  double cached;  // bytes in freed buffers that are kept
  double peak;    // largest value of live + cached + scratch so far
  double fresh;   // buffers that had to be taken from the system, counted since the start
  double scratch; // bytes of scratch memory
};
MemoryUse memoryUse();
/** Counts scratch memory taken (or, below 0, given back). */
void noteScratch(int64_t change);
/** Starts a new peak measurement from what is in use now. */
void resetPeakMemory();

// ---- scratch memory of one thread -----------------------------------------------------------------------------------

/**
 * Scratch memory for the current task on `thread`, given back when the object dies; objects on one thread nest. Nothing
 * is cleared. The calling thread is thread 0, so a kernel may hold shared scratch there while tasks take more.
 */
class Scratch {
 public:
  explicit Scratch(int thread);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <class T>
  T* take(int64_t count) {
    return static_cast<T*>(takeBytes(static_cast<size_t>(count) * sizeof(T)));
  }
  float* floats(int64_t count) { return take<float>(count); }

 private:
  void* takeBytes(size_t bytes);
  size_t block_;  // where the arena stood: block and offset
  size_t offset_;
};

}  // namespace mm
