#include "emulation.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <sys/mman.h>
#include <ucontext.h>

namespace mm::emulation {

dim3 gridSize, blockSize, blockPosition, threadPosition;

namespace {

struct Barrier {
  int arrived = 0;
  unsigned generation = 0;
};

/** One thread of the block: its stack, where it stands, and what it waits for. */
struct Fiber {
  ucontext_t start;
  jmp_buf place;
  bool started = false, done = true;
  const Barrier* waitsFor = nullptr;
  unsigned generation = 0;
  dim3 position;
  int warp = 0, lane = 0;
};

struct Warp {
  Barrier barrier;
  unsigned exchanges = 0;
  alignas(16) char slots[2][warpSize * exchangeStride];
};

constexpr size_t stackBytes = 256 << 10;
constexpr size_t poison = 0xff;  // as floats: NaN

std::vector<std::unique_ptr<Fiber>> fibers;
std::vector<Warp> warps;
std::vector<char> shared;
Barrier block;
int threadCount = 0;
Fiber* current = nullptr;
jmp_buf scheduler;
void (*threadBody)(void*);
void* threadContext;
int runOrder = 1;

// _setjmp and _longjmp leave the signal mask alone, which is what makes swapcontext slow.
void giveWay() {
  if (_setjmp(current->place) == 0) _longjmp(scheduler, 1);
}

/** Runs one thread after another, for ever. */
void live() {
  for (;;) {
    threadBody(threadContext);
    current->done = true;
    giveWay();
  }
}

void createFiber() {
  auto fiber = std::make_unique<Fiber>();
  void* stack = mmap(nullptr, stackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  getcontext(&fiber->start);
  fiber->start.uc_stack = {.ss_sp = stack, .ss_flags = 0, .ss_size = stackBytes};
  fiber->start.uc_link = nullptr;
  makecontext(&fiber->start, live, 0);
  fibers.push_back(std::move(fiber));
}

void switchTo(Fiber& fiber) {
  current = &fiber;
  threadPosition = fiber.position;
  if (_setjmp(scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.place, 1);
  fiber.started = true;
  setcontext(&fiber.start);
}

void arrive(Barrier& barrier, int expected) {
  if (++barrier.arrived == expected) {
    barrier.arrived = 0;
    barrier.generation++;
    return;
  }
  current->waitsFor = &barrier;
  current->generation = barrier.generation;
  giveWay();
}

bool canRun(const Fiber& fiber) {
  return !fiber.done && (fiber.waitsFor == nullptr || fiber.waitsFor->generation != fiber.generation);
}

int warpThreads(int warp) { return std::min(warpSize, threadCount - warp * warpSize); }

/** The i-th thread to run, in the chosen order. */
int inOrder(int i, int pass) {
  if (runOrder == 1) return i;
  if (runOrder == 2) return threadCount - 1 - i;
  // An odd multiple visits all of a power of two; what lies beyond the threads is skipped.
  const unsigned all = 1u << (32 - __builtin_clz(static_cast<unsigned>(threadCount)));
  return static_cast<int>((static_cast<unsigned>(i) * 2654435761u + static_cast<unsigned>(pass) * 97u) & (all - 1));
}

void runBlock() {
  block = {};
  for (Warp& warp : warps) warp = {};
  std::memset(shared.data(), poison, shared.size());
  for (int i = 0; i < threadCount; i++) {
    Fiber& fiber = *fibers[i];
    fiber.done = false;
    fiber.waitsFor = nullptr;
    const unsigned at = static_cast<unsigned>(i);
    fiber.position = {at % blockSize.x, at / blockSize.x % blockSize.y, at / blockSize.x / blockSize.y};
    fiber.warp = i / warpSize;
    fiber.lane = i % warpSize;
  }
  int left = threadCount;
  for (int pass = 0; left > 0; pass++) {
    bool anyRan = false;
    for (int i = 0; i < 2 * threadCount; i++) {
      const int at = inOrder(i, pass);
      if (at < 0 || at >= threadCount || !canRun(*fibers[at])) continue;
      anyRan = true;
      switchTo(*fibers[at]);
      if (fibers[at]->done) left--;
    }
    if (anyRan) continue;
    std::fprintf(stderr, "CUDA emulation: %d of %d threads wait at a barrier that the others never reach.\n", left,
                 threadCount);
    std::abort();
  }
}

}  // namespace

void setOrder(int order) { runOrder = order; }

void run(dim3 grid, dim3 block, size_t sharedBytes, void (*thread)(void* context), void* context) {
  gridSize = grid;
  blockSize = block;
  threadCount = static_cast<int>(block.x * block.y * block.z);
  threadBody = thread;
  threadContext = context;
  while (static_cast<int>(fibers.size()) < threadCount) createFiber();
  warps.resize((threadCount + warpSize - 1) / warpSize);
  shared.resize(sharedBytes + 1);
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        blockPosition = {x, y, z};
        runBlock();
      }
}

void* sharedMemory() { return shared.data(); }
void waitForBlock() { arrive(block, threadCount); }
void waitForWarp() { arrive(warps[current->warp].barrier, warpThreads(current->warp)); }

const char* exchange(const void* value, size_t bytes) {
  Warp& warp = warps[current->warp];
  // Two sets of slots in turn: whoever writes for the next exchange does not disturb those who still read this one.
  char* slots = warp.slots[warp.exchanges % 2];
  std::memcpy(slots + current->lane * exchangeStride, value, bytes);
  if (++warp.barrier.arrived == warpThreads(current->warp)) {
    warp.barrier.arrived = 0;
    warp.barrier.generation++;
    warp.exchanges++;
  } else {
    current->waitsFor = &warp.barrier;
    current->generation = warp.barrier.generation;
    giveWay();
  }
  return slots;
}

}  // namespace mm::emulation
