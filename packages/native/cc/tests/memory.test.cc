// What does not depend on the instruction set: buffers, scratch memory, threads.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "../memory.h"
#include "../threads.h"
#include "check.h"

namespace mm::tests {

static void buffersAreUsedAgain() {
  void* first = allocate(1000);
  CHECK(reinterpret_cast<uintptr_t>(first) % alignment == 0);
  const double live = memoryUse().live;
  release(first);
  CHECK(memoryUse().live < live);
  const double fresh = memoryUse().fresh;
  void* second = allocate(990);
  CHECK(second == first);
  CHECK(memoryUse().fresh == fresh);
  release(second);
  releaseCache();
  CHECK(memoryUse().cached == 0);
}
static Entry buffers("a freed buffer serves the next tensor of its size", 0, buffersAreUsedAgain);

/** Steps with 24 buffers of a length that differs from step to step, as sequences of RegBench have. */
static void keptMemoryIsBounded() {
  releaseCache();
  Numbers numbers(3);
  double mostLive = 0, mostKept = 0, freshAtHalf = 0;
  constexpr int steps = 2000;
  for (int step = 0; step < steps; step++) {
    if (step == steps / 2) freshAtHalf = memoryUse().fresh;
    const auto length = static_cast<size_t>(1 + 400 * std::fabs(numbers.next()));
    std::vector<void*> buffers;
    for (size_t width : {16, 128, 4096})
      for (int i = 0; i < 8; i++) buffers.push_back(allocate(length * width * sizeof(float)));
    mostLive = std::max(mostLive, memoryUse().live);
    for (void* buffer : buffers) release(buffer);
    mostKept = std::max(mostKept, memoryUse().cached);
  }
  CHECK(mostKept <= 1.5 * mostLive + (64 << 20));
  CHECK(memoryUse().fresh - freshAtHalf < 24000 / 50);  // lengths differ up to 400 times: that few are fresh
  // Buffers that are too large by far for what comes now make room for it.
  std::vector<void*> small;
  for (int i = 0; i < 100; i++) small.push_back(allocate(4 << 20));
  CHECK(memoryUse().live + memoryUse().cached <= 1.5 * std::max(mostLive, memoryUse().live) + (64 << 20));
  for (void* buffer : small) release(buffer);
  releaseCache();
  CHECK(memoryUse().cached == 0);
}
static Entry bounded("what is kept of freed memory is bounded, whatever the sizes", 0, keptMemoryIsBounded);

static void scratchNests() {
  Scratch outer(0);
  float* a = outer.floats(100);
  a[99] = 1;
  {
    Scratch inner(0);
    float* b = inner.floats(10 << 20);  // more than a block
    b[(10 << 20) - 1] = 2;
    CHECK(b >= a + 100 || b + (10 << 20) <= a);
  }
  CHECK(a[99] == 1);
}
static Entry scratch("scratch memory nests and never moves", 0, scratchNests);

static void everyTaskRunsOnce() {
  for (int threads : {1, 2, 5}) {
    setThreadCount(threads);
    for (int repeat = 0; repeat < 50; repeat++) {
      std::vector<int> counts(101);
      parallelFor(101, [&](int64_t task, int) { counts[task]++; });
      for (int count : counts) CHECK(count == 1);
    }
  }
  setThreadCount(2);
}
static void callersAreApart() {
  const double before = memoryUse().live;
  void* mine = allocate(1000);
  std::vector<std::thread> callers;
  std::atomic<int> counted{0};
  for (int threads : {1, 2, 3})
    callers.emplace_back([&, threads] {
      setThreadCount(threads);
      allocate(1 << 20);  // and leaves it
      release(mine);      // is not its own
      for (int repeat = 0; repeat < 50; repeat++)
        parallelFor(101, [&](int64_t, int thread) {
          CHECK(thread < threads);
          Scratch(thread).floats(100)[0] = 1;
          counted++;
        });
      CHECK(threadCount() == threads);
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(counted == 3 * 50 * 101);
  CHECK(sizeOfBuffer(mine) >= 1000);
  release(mine);
  CHECK(memoryUse().live == before);
}
static Entry apart("threads that call kernels at once have threads and buffers of their own, returned at their end", 0,
                   callersAreApart);

static Entry tasks("every task runs once, for any number of threads", 0, everyTaskRunsOnce);

}  // namespace mm::tests
