// A persistent pool of threads for each thread that calls kernels: JavaScript's main thread and its workers. Results never
// depend on the number of threads: work is cut into tasks by its size alone, and whoever is free takes the next task; sums
// over tasks are added up in task order.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>

namespace mm {

/** Threads in use, the calling one included. */
int threadCount();

/** Sets the number of threads (at least 1) of the calling thread's pool, starting or joining them. */
void setThreadCount(int count);

/** Runs work(context, thread) once on each thread, thread = 0 … threadCount() - 1, and returns when all are done. */
void runOnThreads(void (*work)(void* context, int thread), void* context);

/** Waits until every thread of the running runOnThreads has come here. */
void threadBarrier();

/** Calls body(task, thread) for each task in 0 … tasks - 1, on whichever thread is free. Do not nest. */
template <class Body>
void parallelFor(int64_t tasks, Body&& body) {
  if (tasks <= 1 || threadCount() == 1) {
    for (int64_t task = 0; task < tasks; task++) body(task, 0);
    return;
  }
  struct Shared {
    std::remove_reference_t<Body>& body;
    int64_t tasks;
    std::atomic<int64_t> next;
  } shared{body, tasks, 0};
  runOnThreads(
      [](void* context, int thread) {
        auto& shared = *static_cast<Shared*>(context);
        for (int64_t task; (task = shared.next.fetch_add(1, std::memory_order_relaxed)) < shared.tasks;)
          shared.body(task, thread);
      },
      &shared);
}

/** Calls body(begin, end, thread) for pieces of `grain` of the range 0 … count - 1. */
template <class Body>
void parallelRanges(int64_t count, int64_t grain, Body&& body) {
  const int64_t pieces = (count + grain - 1) / grain;
  parallelFor(pieces, [&](int64_t piece, int thread) {
    body(piece * grain, std::min(count, (piece + 1) * grain), thread);
  });
}

/** Numbers that one task of cheap elementwise work should touch: enough to pay for handing it out. */
constexpr int64_t elementwiseGrain = 16384;

}  // namespace mm
