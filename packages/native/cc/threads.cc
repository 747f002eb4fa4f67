#include "threads.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace mm {
namespace {

/** A waiting thread first spins, because the next kernel usually comes within microseconds, and then sleeps. */
constexpr int spinsBeforeSleep = 6000;
constexpr int spinsBeforeYield = 2000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <class Condition>
void spinUntil(Condition condition) {
  for (int spins = 0; !condition();) {
    if (++spins < spinsBeforeYield) pause();
    else std::this_thread::yield();
  }
}

class Pool;
/** The pool that this thread belongs to, where it is not one that calls kernels. */
thread_local Pool* served = nullptr;

class Pool {
 public:
  explicit Pool(int count) : count_(count) {
    for (int thread = 1; thread < count; thread++) threads_.emplace_back([this, thread] { serve(thread); });
  }
  ~Pool() {
    stopping_ = true;
    wake();
    for (auto& thread : threads_) thread.join();
  }
  int count() const { return count_; }

  void run(void (*work)(void*, int), void* context) {
    if (count_ == 1) return work(context, 0);
    work_ = work;
    context_ = context;
    pending_.store(count_ - 1, std::memory_order_relaxed);
    wake();
    work(context, 0);
    spinUntil([this] { return pending_.load(std::memory_order_acquire) == 0; });
  }

  void barrier() {
    if (count_ == 1) return;
    const uint32_t round = barrierRound_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == count_ - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      barrierRound_.store(round + 1, std::memory_order_release);
    } else {
      spinUntil([&] { return barrierRound_.load(std::memory_order_acquire) != round; });
    }
  }

 private:
  void wake() {
    {
      std::lock_guard lock(mutex_);
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load() > 0) condition_.notify_all();
  }

  void serve(int thread) {
    served = this;
    for (uint32_t seen = 0;;) {
      const auto called = [&] { return generation_.load(std::memory_order_acquire) != seen; };
      for (int spins = 0; !called() && spins < spinsBeforeSleep; spins++) pause();
      if (!called()) {
        std::unique_lock lock(mutex_);
        sleeping_++;
        condition_.wait(lock, called);
        sleeping_--;
      }
      seen++;
      if (stopping_) return;
      work_(context_, thread);
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }

  const int count_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable condition_;
  std::atomic<uint32_t> generation_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<int> pending_{0};
  std::atomic<int> arrived_{0};
  std::atomic<uint32_t> barrierRound_{0};
  std::atomic<bool> stopping_{false};
  void (*work_)(void*, int) = nullptr;
  void* context_ = nullptr;
};

/** Of the calling thread, made when it first needs one. */
thread_local std::unique_ptr<Pool> owned;

Pool& pool() {
  if (served != nullptr) return *served;
  if (owned == nullptr) owned = std::make_unique<Pool>(std::max(1u, std::thread::hardware_concurrency()));
  return *owned;
}

}  // namespace

int threadCount() { return pool().count(); }

void setThreadCount(int count) {
  count = std::max(1, count);
  if (owned != nullptr && owned->count() == count) return;
  owned.reset();
  owned = std::make_unique<Pool>(count);
}

void runOnThreads(void (*work)(void*, int), void* context) { pool().run(work, context); }
void threadBarrier() { pool().barrier(); }

}  // namespace mm
