// DecayingRead and GatedRead: linear memories that forget. Per sequence and head, over [time][width] keys k and queries q and
// [time][wide] values v,
//
//   S_t = a_t ∘ S_{t-1} + k_t v_tᵀ,   y_t = S_tᵀ q_t,
//
// with a_t one rate per head, or one for each key feature and token. Some columns of S at a time, few enough to stay in the
// first-level cache, are followed along all of time; nothing is stored per token but the results.
//
// Gradient: dq_t = S_t dy_t, with S computed again. Backwards in time, dS_t = q_t dy_tᵀ + a_{t+1} ∘ dS_{t+1} gives
// dk_t = dS_t v_t and dv_t = dS_tᵀ k_t. In y all rates between s and t stand as e^{G_t - G_s}, G their summed logarithms, so
// dG_t = q_t∘dq_t - k_t∘dk_t, and d log a_t is the sum of dG from t on.
#include <cstring>

#include "../kernel.h"
#include "../memory.h"
#include "../simd.h"
#include "../threads.h"
#include "../vector-math.h"

namespace mm::MM_ISA {
namespace {

/** Vectors of columns followed together. */
constexpr int sliceVectors = 2;

/** One head of one sequence, its rows padded to whole vectors: q, k and rates are [time][padded] with zeros behind. */
struct LinearMemory {
  const float *queries, *keys, *rates;
  bool constantRate;  // rates is [padded], the same at all times
  int64_t time, padded, wide;

  const float* rate(int64_t t) const { return rates + (constantRate ? 0 : t * padded); }
};

/** Rows of `width` numbers as rows of `padded`, zeros behind. */
float* padRows(const float* rows, int64_t count, int64_t width, int64_t padded, Scratch& scratch) {
  float* copy = scratch.floats(count * padded);
  for (int64_t row = 0; row < count; row++)
    for (int64_t c = 0; c < padded; c += lanes)
      store(copy + row * padded + c, loadFirst(rows + row * width + c, width - c));
  return copy;
}

/** Lane i of the result is the sum of the lanes of v[i]. */
MM_INLINE Floats laneSums(Floats (&v)[lanes]) {
  transpose(v);
  MM_UNROLL for (int half = lanes / 2; half > 0; half /= 2) {
    MM_UNROLL for (int i = 0; i < half; i++) v[i] += v[i + half];
  }
  return v[0];
}

template <int Vectors>
MM_INLINE void loadColumns(const float* from, int64_t left, Floats (&columns)[Vectors]) {
  MM_UNROLL for (int j = 0; j < Vectors; j++) columns[j] = loadFirst(from + j * lanes, left - j * lanes);
}

/**
 * One step of a memory [padded][columns] and what is read with it: state = rate ∘ state + write columnsᵀ, and the result
 * is stateᵀ read.
 */
template <int Vectors>
MM_INLINE void stepAndRead(float* state, const float* rate, const float* write, const float* read, int64_t padded,
                           const Floats (&columns)[Vectors], Floats (&result)[Vectors]) {
  Floats sums[2][Vectors] = {};
  for (int64_t i = 0; i < padded; i += 2) {
    MM_UNROLL for (int half = 0; half < 2; half++) {
      const Floats a = splat(rate[i + half]), w = splat(write[i + half]), r = splat(read[i + half]);
      float* row = state + (i + half) * Vectors * lanes;
      MM_UNROLL for (int j = 0; j < Vectors; j++) {
        const Floats now = fma(a, load(row + j * lanes), w * columns[j]);
        store(row + j * lanes, now);
        sums[half][j] = fma(r, now, sums[half][j]);
      }
    }
  }
  MM_UNROLL for (int j = 0; j < Vectors; j++) result[j] = sums[0][j] + sums[1][j];
}

/** out[i] += state[i]·columns for the rows of a memory. */
template <int Vectors>
MM_INLINE void addRowProducts(const float* state, int64_t padded, const Floats (&columns)[Vectors], float* out) {
  for (int64_t i = 0; i < padded; i += lanes) {
    Floats products[lanes];
    MM_UNROLL for (int row = 0; row < lanes; row++) {
      const float* at = state + (i + row) * Vectors * lanes;
      products[row] = load(at) * columns[0];
      MM_UNROLL for (int j = 1; j < Vectors; j++) products[row] = fma(load(at + j * lanes), columns[j], products[row]);
    }
    store(out + i, load(out + i) + laneSums(products));
  }
}

/** Calls body.operator()<Vectors>(first column) for slices of `wide` columns. */
template <class Body>
void forSlices(int64_t wide, Body&& body) {
  int64_t first = 0;
  for (; wide - first > (sliceVectors - 1) * lanes; first += sliceVectors * lanes)
    body.template operator()<sliceVectors>(first);
  for (; first < wide; first += lanes) body.template operator()<1>(first);
}

void readMemory(const LinearMemory& m, const float* values, float* y, Scratch& scratch) {
  float* state = scratch.floats(m.padded * sliceVectors * lanes);
  forSlices(m.wide, [&]<int Vectors>(int64_t first) {
    std::memset(state, 0, m.padded * Vectors * lanes * sizeof(float));
    for (int64_t t = 0; t < m.time; t++) {
      const int64_t at = t * m.wide + first, left = m.wide - first;
      Floats value[Vectors], read[Vectors];
      loadColumns(values + at, left, value);
      stepAndRead(state, m.rate(t), m.keys + t * m.padded, m.queries + t * m.padded, m.padded, value, read);
      MM_UNROLL for (int j = 0; j < Vectors; j++) storeFirst(y + at + j * lanes, read[j], left - j * lanes);
    }
  });
}

/** dq and dk are [time][padded] and cleared; `zeros` is a row of them. */
void readMemoryBackward(const LinearMemory& m, const float* values, const float* dy, float* dq, float* dk, float* dv,
                        const float* zeros, Scratch& scratch) {
  float* state = scratch.floats(m.padded * sliceVectors * lanes);
  forSlices(m.wide, [&]<int Vectors>(int64_t first) {
    const int64_t left = m.wide - first;
    Floats value[Vectors], change[Vectors], read[Vectors];
    std::memset(state, 0, m.padded * Vectors * lanes * sizeof(float));
    for (int64_t t = 0; t < m.time; t++) {
      loadColumns(values + t * m.wide + first, left, value);
      loadColumns(dy + t * m.wide + first, left, change);
      stepAndRead(state, m.rate(t), m.keys + t * m.padded, zeros, m.padded, value, read);
      addRowProducts(state, m.padded, change, dq + t * m.padded);
    }
    std::memset(state, 0, m.padded * Vectors * lanes * sizeof(float));
    for (int64_t t = m.time - 1; t >= 0; t--) {
      const int64_t at = t * m.wide + first;
      loadColumns(values + at, left, value);
      loadColumns(dy + at, left, change);
      const float* rate = t + 1 < m.time ? m.rate(t + 1) : zeros;
      stepAndRead(state, rate, m.queries + t * m.padded, m.keys + t * m.padded, m.padded, change, read);
      MM_UNROLL for (int j = 0; j < Vectors; j++) storeFirst(dv + at + j * lanes, read[j], left - j * lanes);
      addRowProducts(state, m.padded, value, dk + t * m.padded);
    }
  });
}

/** All sequences and heads: queries and keys [batch, heads, time, width], values [batch, heads, time, wide]. */
struct LinearMemories {
  const float *queries, *keys;
  const float *decays, *logGates;  // [heads], or as the keys: one of them is null
  int64_t batch, heads, time, width, wide;

  int64_t padded() const { return (width + lanes - 1) / lanes * lanes; }

  /** Calls body(memory, n, scratch) for the memory of each sequence and head, of number n. */
  template <class Body>
  void each(Body&& body) const {
    parallelFor(batch * heads, [&](int64_t n, int thread) {
      Scratch scratch(thread);
      const int64_t at = n * time * width, rows = padded();
      float* rates = scratch.floats(decays != nullptr ? rows : time * rows);
      for (int64_t t = 0; t < (decays != nullptr ? 1 : time); t++)
        for (int64_t c = 0; c < rows; c += lanes)
          store(rates + t * rows + c, decays != nullptr ? splat(decays[n % heads])
                                                        : exp(loadFirst(logGates + at + t * width + c, width - c)));
      body(LinearMemory{padRows(queries + at, time, width, rows, scratch), padRows(keys + at, time, width, rows, scratch),
                        rates, decays != nullptr, time, rows, wide},
           n, scratch);
    });
  }

  void read(const float* values, float* y) const {
    each([&](const LinearMemory& memory, int64_t n, Scratch& scratch) {
      readMemory(memory, values + n * time * wide, y + n * time * wide, scratch);
    });
  }

  /** dLogGates may be null. */
  void readBackward(const float* values, const float* dy, float* dQueries, float* dKeys, float* dValues,
                    float* dLogGates) const {
    each([&](const LinearMemory& memory, int64_t n, Scratch& scratch) {
      const int64_t rows = memory.padded, at = n * time * width, valuesAt = n * time * wide;
      float* dq = scratch.floats((2 * time + 2) * rows);
      std::memset(dq, 0, (2 * time + 2) * rows * sizeof(float));
      float *dk = dq + time * rows, *zeros = dk + time * rows, *later = zeros + rows;
      readMemoryBackward(memory, values + valuesAt, dy + valuesAt, dq, dk, dValues + valuesAt, zeros, scratch);
      for (int64_t t = time - 1; t >= 0; t--) {
        for (int64_t c = 0; c < rows; c += lanes) {
          const int64_t from = t * rows + c, to = at + t * width + c, left = width - c;
          const Floats query = load(dq + from), key = load(dk + from);
          storeFirst(dQueries + to, query, left);
          storeFirst(dKeys + to, key, left);
          if (dLogGates == nullptr) continue;
          const Floats sum = load(later + c) + (load(memory.queries + from) * query - load(memory.keys + from) * key);
          store(later + c, sum);
          storeFirst(dLogGates + to, sum, left);
        }
      }
    });
  }
};

}  // namespace

static void decayingRead(const float* queries, const float* keys, const float* values, const float* decays, float* y,
                         int64_t batch, int64_t heads, int64_t time, int64_t width, int64_t wide) {
  LinearMemories{queries, keys, decays, nullptr, batch, heads, time, width, wide}.read(values, y);
}
MM_KERNEL(decayingRead)

static void decayingReadGrad(const float* queries, const float* keys, const float* values, const float* decays,
                             const float* dy, float* dQueries, float* dKeys, float* dValues, int64_t batch, int64_t heads,
                             int64_t time, int64_t width, int64_t wide) {
  LinearMemories{queries, keys, decays, nullptr, batch, heads, time, width, wide}.readBackward(values, dy, dQueries, dKeys,
                                                                                            dValues, nullptr);
}
MM_KERNEL(decayingReadGrad)

static void gatedRead(const float* queries, const float* keys, const float* values, const float* logGates, float* y,
                      int64_t batch, int64_t heads, int64_t time, int64_t width, int64_t wide) {
  LinearMemories{queries, keys, nullptr, logGates, batch, heads, time, width, wide}.read(values, y);
}
MM_KERNEL(gatedRead)

static void gatedReadGrad(const float* queries, const float* keys, const float* values, const float* logGates,
                          const float* dy, float* dQueries, float* dKeys, float* dValues, float* dLogGates, int64_t batch,
                          int64_t heads, int64_t time, int64_t width, int64_t wide) {
  LinearMemories{queries, keys, nullptr, logGates, batch, heads, time, width, wide}.readBackward(
      values, dy, dQueries, dKeys, dValues, dLogGates);
}
MM_KERNEL(gatedReadGrad)

}  // namespace mm::MM_ISA
