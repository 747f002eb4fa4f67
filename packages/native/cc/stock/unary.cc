// Elementwise kernels of one operand: the loops around the functions of unary-list.h. All take (x, out, count).
#include <cmath>
#include <cstring>

#include "../kernel.h"
#include "../threads.h"
#include "../vector-math.h"
#include "elementwise.h"

#define MAP(name, In, Out, Loop)                                                            \
  static void name(const In* x, Out* out, int64_t count) {                                  \
    mapSpans(                                                                               \
        [](const void* x, void* out, int64_t count, float, float) {                         \
          Loop(static_cast<const In*>(x), static_cast<Out*>(out), count);                   \
        },                                                                                  \
        x, sizeof(In), out, sizeof(Out), count);                                            \
  }                                                                                         \
  MM_KERNEL(name)
#define VECTOR(name, result)                                 \
  static MM_INLINE Floats name##Of(Floats x) { return result; } \
  MAP(name, float, float, mapVectors<name##Of>)
#define NUMBER(name, In, Out, result)                   \
  static MM_INLINE Out name##Of(In x) { return result; } \
  MAP(name, In, Out, (mapNumbers<In, Out, name##Of>))

namespace mm::MM_ISA {

template <Floats (*of)(Floats)>
MM_INLINE void mapVectors(const float* __restrict x, float* __restrict out, int64_t count) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) store(out + i, of(load(x + i)));
  if (i < count) storeFirst(out + i, of(loadFirst(x + i, count - i)), count - i);
}
template <class In, class Out, Out (*of)(In)>
MM_INLINE void mapNumbers(const In* __restrict x, Out* __restrict out, int64_t count) {
  for (int64_t i = 0; i < count; i++) out[i] = of(x[i]);
}

#define WITH_PARAMETERS(name, result)                                                              \
  static void name(const float* x, float* out, int64_t count, float p, float q) {                  \
    mapSpans(                                                                                      \
        [](const void* from, void* to, int64_t count, float p, [[maybe_unused]] float q) {         \
          for (int64_t i = 0; i < count; i++) {                                                    \
            const float x = static_cast<const float*>(from)[i];                                    \
            static_cast<float*>(to)[i] = result;                                                   \
          }                                                                                        \
        },                                                                                         \
        x, sizeof(float), out, sizeof(float), count, p, q);                                        \
  }                                                                                                \
  MM_KERNEL(name)
#include "unary-list.h"

static void fillFloat(float* out, int64_t count, float value) {
  mapSpans(
      [](const void*, void* out, int64_t count, float p, float) {
        for (int64_t i = 0; i < count; i++) static_cast<float*>(out)[i] = p;
      },
      out, sizeof(float), out, sizeof(float), count, value);
}
MM_KERNEL(fillFloat)
static void fillInt(int32_t* out, int64_t count, int64_t value) {
  for (int64_t i = 0; i < count; i++) out[i] = static_cast<int32_t>(value);
}
MM_KERNEL(fillInt)
static void fillBool(uint8_t* out, int64_t count, bool value) { std::memset(out, value, count); }
MM_KERNEL(fillBool)

/** out[i] = condition[i / repeat] ? a[i] : b[i], for elements of four bytes. */
static void selectWords(const uint8_t* condition, const int32_t* a, const int32_t* b, int32_t* out, int64_t count,
                        int64_t repeat) {
  parallelRanges(count, elementwiseGrain, [&](int64_t begin, int64_t end, int) {
    if (repeat == 1)
      for (int64_t i = begin; i < end; i++) out[i] = condition[i] ? a[i] : b[i];
    else
      for (int64_t i = begin; i < end; i++) out[i] = condition[i / repeat] ? a[i] : b[i];
  });
}
MM_KERNEL(selectWords)
static void selectBytes(const uint8_t* condition, const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t count,
                        int64_t repeat) {
  for (int64_t i = 0; i < count; i++) out[i] = condition[i / repeat] ? a[i] : b[i];
}
MM_KERNEL(selectBytes)

}  // namespace mm::MM_ISA
