// Reductions, running sums and softmax of x[outer][length][inner] along its middle axis.
#include <cmath>
#include <limits>

#include "../kernel.h"
#include "../threads.h"
#include "../vector-math.h"
#include "elementwise.h"

namespace mm::MM_ISA {

constexpr int64_t pieceElements = 32768;
constexpr float infinity = std::numeric_limits<float>::infinity();

/** Four vectors of running results over a row; the same four columns of vectors over columns. */
template <Floats (*combine)(Floats, Floats)>
MM_INLINE void reduceFloats(const float* x, int64_t rows, int64_t inner, float* out, float start) {
  if (inner == 1) {
    Floats results[4] = {splat(start), splat(start), splat(start), splat(start)};
    int64_t i = 0;
    for (; i + 4 * lanes <= rows; i += 4 * lanes) {
      MM_UNROLL for (int j = 0; j < 4; j++) results[j] = combine(results[j], load(x + i + j * lanes));
    }
    for (; i < rows; i += lanes)
      results[0] = combine(results[0], select(firstLanes(rows - i), loadFirst(x + i, rows - i), splat(start)));
    const Floats all = combine(combine(results[0], results[1]), combine(results[2], results[3]));
    *out = detail::reduce<lanes / 2>(all, combine);
    return;
  }
  int64_t i = 0;
  for (; i + 4 * lanes <= inner; i += 4 * lanes) {
    Floats results[4] = {splat(start), splat(start), splat(start), splat(start)};
    for (int64_t row = 0; row < rows; row++) {
      MM_UNROLL for (int j = 0; j < 4; j++) results[j] = combine(results[j], load(x + row * inner + i + j * lanes));
    }
    MM_UNROLL for (int j = 0; j < 4; j++) store(out + i + j * lanes, results[j]);
  }
  for (; i < inner; i += lanes) {
    Floats result = splat(start);
    for (int64_t row = 0; row < rows; row++) result = combine(result, loadFirst(x + row * inner + i, inner - i));
    storeFirst(out + i, result, inner - i);
  }
}

#define FLOAT_REDUCTION(name, start, result)                                                    \
  static MM_INLINE Floats name##Of(Floats a, Floats b) { return result; }                       \
  static void name(const float* x, float* out, int64_t outer, int64_t length, int64_t inner) {  \
    reduceSpans(                                                                                \
        [](const void* x, int64_t rows, int64_t inner, void* out) {                             \
          reduceFloats<name##Of>(static_cast<const float*>(x), rows, inner, static_cast<float*>(out), start); \
        },                                                                                      \
        x, out, sizeof(float), outer, length, inner);                                           \
  }                                                                                             \
  MM_KERNEL(name)
#define REDUCTION(name, T, start, result)                                                \
  static void name(const T* x, T* out, int64_t outer, int64_t length, int64_t inner) {   \
    reduceSpans(                                                                         \
        [](const void* x, int64_t rows, int64_t inner, void* out) {                      \
          for (int64_t i = 0; i < inner; i++) {                                          \
            T a = start;                                                                 \
            for (int64_t row = 0; row < rows; row++) {                                   \
              const T b = static_cast<const T*>(x)[row * inner + i];                     \
              a = result;                                                                \
            }                                                                            \
            static_cast<T*>(out)[i] = a;                                                 \
          }                                                                              \
        },                                                                               \
        x, out, sizeof(T), outer, length, inner);                                        \
  }                                                                                      \
  MM_KERNEL(name)

FLOAT_REDUCTION(sumFloat, 0.f, a + b)
FLOAT_REDUCTION(prodFloat, 1.f, a * b)
// NaN wins: it compares with nothing, itself included.
FLOAT_REDUCTION(maxFloat, -infinity, ((a > b) | (a != a)) ? a : b)
FLOAT_REDUCTION(minFloat, infinity, ((a < b) | (a != a)) ? a : b)
REDUCTION(sumInt, int32_t, 0, static_cast<int32_t>(uint32_t(a) + uint32_t(b)))
REDUCTION(prodInt, int32_t, 1, static_cast<int32_t>(uint32_t(a) * uint32_t(b)))
REDUCTION(maxInt, int32_t, std::numeric_limits<int32_t>::min(), a > b ? a : b)
REDUCTION(minInt, int32_t, std::numeric_limits<int32_t>::max(), a < b ? a : b)
REDUCTION(allBool, uint8_t, 1, a & b)
REDUCTION(anyBool, uint8_t, 0, a | b)

/** Index of the first largest (smallest) number along the middle axis; a NaN is never chosen over a number before it. */
template <class T, class Better>
MM_INLINE void findBest(const T* x, int32_t* out, int64_t outer, int64_t length, int64_t inner, Better better) {
  parallelRanges(outer * inner, std::max<int64_t>(1, pieceElements / std::max<int64_t>(1, length)),
                 [&](int64_t begin, int64_t end, int) {
                   for (int64_t i = begin; i < end; i++) {
                     const T* from = x + i / inner * length * inner + i % inner;
                     int64_t best = 0;
                     for (int64_t j = 1; j < length; j++)
                       if (better(from[j * inner], from[best * inner])) best = j;
                     out[i] = static_cast<int32_t>(best);
                   }
                 });
}
static void argMaxFloat(const float* x, int32_t* out, int64_t outer, int64_t length, int64_t inner) {
  findBest(x, out, outer, length, inner, [](float a, float b) { return a > b; });
}
MM_KERNEL(argMaxFloat)
static void argMinFloat(const float* x, int32_t* out, int64_t outer, int64_t length, int64_t inner) {
  findBest(x, out, outer, length, inner, [](float a, float b) { return a < b; });
}
MM_KERNEL(argMinFloat)
static void argMaxInt(const int32_t* x, int32_t* out, int64_t outer, int64_t length, int64_t inner) {
  findBest(x, out, outer, length, inner, [](int32_t a, int32_t b) { return a > b; });
}
MM_KERNEL(argMaxInt)
static void argMinInt(const int32_t* x, int32_t* out, int64_t outer, int64_t length, int64_t inner) {
  findBest(x, out, outer, length, inner, [](int32_t a, int32_t b) { return a < b; });
}
MM_KERNEL(argMinInt)

// ---- running sums and products along the middle axis -----------------------------------------------------------------

template <class T, class Combine>
MM_INLINE void accumulate(const T* x, T* out, int64_t outer, int64_t length, int64_t inner, bool exclusive, bool reverse,
                          T start, Combine combine) {
  parallelFor(outer, [&](int64_t o, int) {
    for (int64_t i = 0; i < inner; i++) {
      T total = start;
      for (int64_t j = 0; j < length; j++) {
        const int64_t at = (o * length + (reverse ? length - 1 - j : j)) * inner + i;
        const T next = combine(total, x[at]);
        out[at] = exclusive ? total : next;
        total = next;
      }
    }
  });
}
#define RUNNING(name, T, start, result)                                                                             \
  static void name(const T* x, T* out, int64_t outer, int64_t length, int64_t inner, bool exclusive, bool reverse) { \
    accumulate<T>(x, out, outer, length, inner, exclusive, reverse, start,                                          \
                  [](T a, T b) __attribute__((always_inline)) -> T { return result; });                             \
  }                                                                                                                 \
  MM_KERNEL(name)
RUNNING(cumsumFloat, float, 0, a + b)
RUNNING(cumsumInt, int32_t, 0, static_cast<int32_t>(uint32_t(a) + uint32_t(b)))
RUNNING(cumprodFloat, float, 1, a * b)
RUNNING(cumprodInt, int32_t, 1, static_cast<int32_t>(uint32_t(a) * uint32_t(b)))

// ---- softmax over rows -------------------------------------------------------------------------------------------------

/** y = e^{x - max}/Σ over rows. A row with NaN or +inf is NaN, as is a row of -inf alone. */
static void softmax(const float* x, float* y, int64_t rows, int64_t n) {
  parallelRanges(rows, std::max<int64_t>(1, pieceElements / std::max<int64_t>(1, n)), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const float* from = x + row * n;
      float* to = y + row * n;
      float largest;
      reduceFloats<maxFloatOf>(from, n, 1, &largest, -infinity);
      const float shift = std::fabs(largest) < infinity ? largest : std::numeric_limits<float>::quiet_NaN();
      Floats sums = {};
      for (int64_t i = 0; i < n; i += lanes) {
        const Floats e = expBounded(loadFirst(from + i, n - i) - shift);
        sums += n - i >= lanes ? e : keep(firstLanes(n - i), e);
        storeFirst(to + i, e, n - i);
      }
      const float factor = shift == shift ? 1 / sum(sums) : shift;
      for (int64_t i = 0; i < n; i += lanes) storeFirst(to + i, loadFirst(to + i, n - i) * factor, n - i);
    }
  });
}
MM_KERNEL(softmax)

}  // namespace mm::MM_ISA
