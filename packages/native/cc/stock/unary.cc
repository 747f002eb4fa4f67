// Elementwise kernels of one operand, one line each: name, result from x. VECTOR lines compute `lanes` numbers at a time,
// NUMBER lines leave that to the compiler. All take (x, out, count).
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

// "Self-normalizing neural networks", Klambauer et al. 2017
constexpr float seluScale = 1.0507009873554805f, seluAlpha = 1.6732632423543772f;

/** log(1 + e^x) = max(x, 0) + log(1 + e^{-|x|}) */
static MM_INLINE Floats softplus(Floats x) {
  const Floats u = exp(-abs(x));
  const Floats sum = 1.f + u;
  // log(1 + u) = log(s)·u/(s - 1) corrects the rounding of s = 1 + u; for s = 1 it is u itself
  const Floats logarithm = sum == 1.f ? u : log(sum) * (u / (sum - 1.f));
  return (x > 0.f ? x : Floats{}) + (x == x ? logarithm : x);
}

VECTOR(absFloat, abs(x))
VECTOR(negFloat, -x)
VECTOR(squareFloat, x * x)
VECTOR(sqrtFloat, sqrt(x))
VECTOR(rsqrtFloat, 1.f / sqrt(x))
VECTOR(reciprocalFloat, 1.f / x)
VECTOR(expFloat, exp(x))
VECTOR(logFloat, log(x))
VECTOR(tanhFloat, tanh(x))
VECTOR(sigmoidFloat, sigmoid(x))
VECTOR(softplusFloat, softplus(x))
VECTOR(reluFloat, x < 0.f ? Floats{} : x)
VECTOR(relu6Float, x < 0.f ? Floats{} : x > 6.f ? splat(6.f) : x)
NUMBER(expm1Float, float, float, std::expm1(x))
NUMBER(log1pFloat, float, float, std::log1p(x))
NUMBER(eluFloat, float, float, x >= 0 ? x : std::expm1(x))
NUMBER(seluFloat, float, float, x >= 0 ? seluScale * x : seluScale * seluAlpha * std::expm1(x))
NUMBER(sinFloat, float, float, std::sin(x))
NUMBER(cosFloat, float, float, std::cos(x))
NUMBER(tanFloat, float, float, static_cast<float>(std::tan(static_cast<double>(x))))
NUMBER(asinFloat, float, float, std::asin(x))
NUMBER(acosFloat, float, float, std::acos(x))
NUMBER(atanFloat, float, float, std::atan(x))
NUMBER(sinhFloat, float, float, std::sinh(x))
NUMBER(coshFloat, float, float, std::cosh(x))
NUMBER(asinhFloat, float, float, std::asinh(x))
NUMBER(acoshFloat, float, float, std::acosh(x))
NUMBER(atanhFloat, float, float, std::atanh(x))
NUMBER(erfFloat, float, float, std::erf(x))
NUMBER(floorFloat, float, float, std::floor(x))
NUMBER(ceilFloat, float, float, std::ceil(x))
NUMBER(roundFloat, float, float, std::nearbyint(x))
NUMBER(signFloat, float, float, x > 0 ? 1.f : x < 0 ? -1.f : 0.f)
NUMBER(isNanFloat, float, uint8_t, x != x)
NUMBER(isInfFloat, float, uint8_t, std::fabs(x) == INFINITY)
NUMBER(isFiniteFloat, float, uint8_t, std::fabs(x) < INFINITY)

NUMBER(absInt, int32_t, int32_t, x < 0 ? static_cast<int32_t>(0u - uint32_t(x)) : x)
NUMBER(negInt, int32_t, int32_t, static_cast<int32_t>(0u - uint32_t(x)))
NUMBER(squareInt, int32_t, int32_t, static_cast<int32_t>(uint32_t(x) * uint32_t(x)))
NUMBER(signInt, int32_t, int32_t, (x > 0) - (x < 0))
NUMBER(reluInt, int32_t, int32_t, x < 0 ? 0 : x)
NUMBER(relu6Int, int32_t, int32_t, x < 0 ? 0 : x > 6 ? 6 : x)
NUMBER(logicalNotBool, uint8_t, uint8_t, x == 0)

// Casts. To an integer as JavaScript does it: towards zero, modulo 2^32, NaN gives 0.
static MM_INLINE int32_t toInteger(float x) {
  return x == x && std::fabs(x) < 9e18f ? static_cast<int32_t>(static_cast<int64_t>(x)) : 0;
}
NUMBER(castFloatToInt, float, int32_t, toInteger(x))
NUMBER(castFloatToBool, float, uint8_t, x != 0)
NUMBER(castIntToFloat, int32_t, float, static_cast<float>(x))
NUMBER(castIntToBool, int32_t, uint8_t, x != 0)
NUMBER(castBoolToFloat, uint8_t, float, x)
NUMBER(castBoolToInt, uint8_t, int32_t, x)

// With parameters p and q; x is as above.
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
WITH_PARAMETERS(clipFloat, x > q ? q : x < p ? p : x)
WITH_PARAMETERS(stepFloat, x != x ? x : x > 0 ? 1.f : p)
WITH_PARAMETERS(leakyReluFloat, x < 0 ? p * x : x)

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
