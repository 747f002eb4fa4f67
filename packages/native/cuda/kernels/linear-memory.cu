// DecayingRead and GatedRead (cc/fused/linear-memory.cc): linear memories S_t = a_t ∘ S_{t-1} + k_t v_tᵀ, read as S_tᵀ q_t,
// with a_t one rate per head, or one for each key feature and token. Every product with a memory, forward and backward, is
// one scan: a block of one warp follows 32 columns (or rows) of it along time, in shared memory, one in each lane.
#include "../../cc/kernel.h"
#include "../launch.h"

namespace mm::cuda {

/** One head of one sequence is a memory; the numbers of each are one after the other. */
struct MemoryScan {
  const float *own, *other, *read;  // [time][lanes' axis], [time][the other axis] twice
  float* result;                    // [time][lanes' axis]
  const float *decays, *logGates;   // [heads], or [time][key features]: one of them is null
  int64_t heads, time, ownWidth, otherWidth;
};

/**
 * state[o] = rate ∘ state[o] + own · other[o] and result = Σ_o state[o] · read[o] for the lane's column; backwards in time
 * with the rate of the step after. Rates belong to key features, which run along the lanes (RateOfLane) or across them.
 */
template <bool Backwards, bool RateOfLane>
__global__ void scanMemory(MemoryScan scan) {
  float* state = sharedMemory<float>();  // [other][lane]
  const int64_t memory = blockIdx.y, lane = laneOfWarp(), column = static_cast<int64_t>(blockIdx.x) * warpLanes + lane;
  const bool exists = column < scan.ownWidth;
  const float constant = scan.decays == nullptr ? 0 : scan.decays[memory % scan.heads];
  const int64_t keyWidth = RateOfLane ? scan.ownWidth : scan.otherWidth;
  for (int64_t o = 0; o < scan.otherWidth; o++) state[o * warpLanes + lane] = 0;
  for (int64_t step = 0; step < scan.time; step++) {
    const int64_t t = Backwards ? scan.time - 1 - step : step, row = memory * scan.time + t;
    const float* gates = scan.logGates == nullptr ? nullptr : scan.logGates + (row + (Backwards ? 1 : 0)) * keyWidth;
    const float own = exists ? scan.own[row * scan.ownWidth + column] : 0;
    // Before the first step there is nothing to keep, and no step whose gates could be read.
    const float ofLane = step == 0 ? 0 : gates == nullptr ? constant : RateOfLane && exists ? expf(gates[column]) : 0;
    float sum = 0;
    for (int64_t o = 0; o < scan.otherWidth; o++) {
      const float rate = RateOfLane || gates == nullptr || step == 0 ? ofLane : expf(gates[o]);
      const float now = rate * state[o * warpLanes + lane] + own * scan.other[row * scan.otherWidth + o];
      state[o * warpLanes + lane] = now;
      sum += now * scan.read[row * scan.otherWidth + o];
    }
    if (exists) scan.result[row * scan.ownWidth + column] = sum;
  }
}

template <bool Backwards, bool RateOfLane>
static void start(const MemoryScan& scan, int64_t memories) {
  const size_t shared = scan.otherWidth * warpLanes * sizeof(float);
  launch(scanMemory<Backwards, RateOfLane>,
         dim3(static_cast<unsigned>(divideUp(scan.ownWidth, warpLanes)), static_cast<unsigned>(memories)), dim3(warpLanes), shared,
         scan);
}

/** All sequences and heads: queries and keys [batch, heads, time, width], values [batch, heads, time, wide]. */
struct Memories {
  const float *queries, *keys, *values;
  const float *decays, *logGates;
  int64_t batch, heads, time, width, wide;

  int64_t count() const { return batch * heads; }
  void decline() const {
    constexpr int64_t mostMemories = 65535;
    if (count() > mostMemories || std::max(width, wide) * warpLanes * sizeof(float) > mostSharedBytes()) throw Declined{};
  }
  /** Of the values' axis: own and result are as wide as values, other and read as keys. */
  MemoryScan alongValues(const float* own, const float* other, const float* read, float* result) const {
    return {own, other, read, result, decays, logGates, heads, time, wide, width};
  }
  MemoryScan alongKeys(const float* own, const float* other, const float* read, float* result) const {
    return {own, other, read, result, decays, logGates, heads, time, width, wide};
  }

  void read(float* y) const {
    decline();
    start<false, false>(alongValues(values, keys, queries, y), count());
  }
  /** dq_t = S_t dy_t; with dS_t = q_t dy_tᵀ + a_{t+1} ∘ dS_{t+1}, dk_t = dS_t v_t and dv_t = dS_tᵀ k_t. */
  void readBackward(const float* dy, float* dQueries, float* dKeys, float* dValues) const {
    decline();
    start<false, true>(alongKeys(keys, values, dy, dQueries), count());
    start<true, true>(alongKeys(queries, dy, values, dKeys), count());
    start<true, false>(alongValues(dy, queries, keys, dValues), count());
  }
};

static void decayingRead(const float* queries, const float* keys, const float* values, const float* decays, float* y,
                         int64_t batch, int64_t heads, int64_t time, int64_t width, int64_t wide) {
  Memories{queries, keys, values, decays, nullptr, batch, heads, time, width, wide}.read(y);
}
MM_KERNEL(decayingRead)
static void decayingReadGrad(const float* queries, const float* keys, const float* values, const float* decays,
                             const float* dy, float* dQueries, float* dKeys, float* dValues, int64_t batch, int64_t heads,
                             int64_t time, int64_t width, int64_t wide) {
  Memories{queries, keys, values, decays, nullptr, batch, heads, time, width, wide}.readBackward(dy, dQueries, dKeys, dValues);
}
MM_KERNEL(decayingReadGrad)
static void gatedRead(const float* queries, const float* keys, const float* values, const float* logGates, float* y,
                      int64_t batch, int64_t heads, int64_t time, int64_t width, int64_t wide) {
  Memories{queries, keys, values, nullptr, logGates, batch, heads, time, width, wide}.read(y);
}
MM_KERNEL(gatedRead)

/** d log a_t = Σ_{s ≥ t} (q_s∘dq_s - k_s∘dk_s), one thread for each key feature. */
__global__ void gateGradient(const float* queries, const float* keys, const float* dQueries, const float* dKeys,
                             float* dLogGates, int64_t memories, int64_t time, int64_t width) {
  forThread(memories * width, [&](int64_t i) {
    float sum = 0;
    for (int64_t t = time - 1; t >= 0; t--) {
      const int64_t at = (i / width * time + t) * width + i % width;
      sum += queries[at] * dQueries[at] - keys[at] * dKeys[at];
      dLogGates[at] = sum;
    }
  });
}
static void gatedReadGrad(const float* queries, const float* keys, const float* values, const float* logGates,
                          const float* dy, float* dQueries, float* dKeys, float* dValues, float* dLogGates, int64_t batch,
                          int64_t heads, int64_t time, int64_t width, int64_t wide) {
  Memories{queries, keys, values, nullptr, logGates, batch, heads, time, width, wide}.readBackward(dy, dQueries, dKeys, dValues);
  launch(gateGradient, blocksFor(batch * heads * width), dim3(blockThreads), 0, queries, keys, dQueries, dKeys, dLogGates,
         batch * heads, time, width);
}
MM_KERNEL(gatedReadGrad)

}  // namespace mm::cuda
