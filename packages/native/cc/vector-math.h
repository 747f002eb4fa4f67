// Elementary functions on vectors, each within a few units in the last place of the exact value.
#pragma once
#include <limits>
#include "simd.h"

namespace mm::MM_ISA {

namespace detail {
constexpr float log2e = 1.44269504f;
// ln 2 in two parts: n·high is exact for every exponent n.
constexpr float ln2High = 0.693359375f;
constexpr float ln2Low = -2.12194440e-4f;
// Adding and subtracting 1.5·2^23 rounds to the nearest integer, which then stands in the low bits.
constexpr float roundingShift = 12582912.f;

/** x = n·ln 2 + r with |r| <= ln 2 / 2; q = e^r - 1. */
struct ReducedExponential {
  Ints n;
  Floats q;
};
MM_INLINE ReducedExponential reduceExponential(Floats x) {
  const Floats shifted = x * log2e + roundingShift;
  const Floats n = shifted - roundingShift;
  Floats r = x - n * ln2High;
  r = r - n * ln2Low;
  // e^r - 1 = r + r²·(1/2! + r/3! + …), minimax coefficients near the Taylor ones
  Floats p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {(Ints)shifted - (Ints)splat(roundingShift), p * (r * r) + r};
}
}  // namespace detail

/**
 * e^x for softmax and its kin: below -87.3 (also at -inf) exactly 0, so there are no denormal results; x must stay below
 * 88.3 (not checked), and NaN gives 0.
 */
MM_INLINE Floats expBounded(Floats x) {
  constexpr float smallest = -87.3f;
  const Ints inside = x > smallest;
  const auto [n, q] = detail::reduceExponential(inside ? x : splat(smallest));
  return keep(inside, (Floats)((Ints)(q + 1.f) + (n << 23)));
}

/** e^x for every x: denormal results, 0, inf and NaN as the mathematical function has them. */
MM_INLINE Floats exp(Floats x) {
  const Floats clamped = min(max(x, splat(-110.f)), splat(110.f));
  const auto [n, q] = detail::reduceExponential(clamped);
  // 2^n in two factors, each a normal number, because n reaches from -159 to 159
  const Ints half = n >> 1;
  const Floats first = (Floats)((half + 127) << 23);
  const Floats second = (Floats)((n - half + 127) << 23);
  const Floats result = (q + 1.f) * first * second;
  return x == x ? result : x;
}

/** e^x - 1 without cancellation near 0; |x| <= 80. */
MM_INLINE Floats expMinusOneBounded(Floats x) {
  const auto [n, q] = detail::reduceExponential(x);
  const Floats power = (Floats)((n + 127) << 23);
  return power * q + (power - 1.f);
}

/** tanh x = u/(u + 2) with u = e^{2|x|} - 1, and the sign of x. */
MM_INLINE Floats tanh(Floats x) {
  const Floats magnitude = min(abs(x), splat(10.f));
  const Floats u = expMinusOneBounded(magnitude + magnitude);
  const Ints sign = (Ints)x & static_cast<int32_t>(0x80000000u);
  const Floats result = (Floats)((Ints)(u / (u + 2.f)) | sign);
  return x == x ? result : x;
}

/** 1/(1 + e^{-x}). */
MM_INLINE Floats sigmoid(Floats x) { return 1.f / (1.f + exp(-x)); }

/**
 * Natural logarithm: x = m·2^e with m in [√½, √2), log m = 2·atanh s with s = (m - 1)/(m + 1), as its power series.
 * 0 gives -inf, a negative number NaN.
 */
MM_INLINE Floats log(Floats x) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const Ints denormal = x < 1.17549435e-38f;
  const Ints bits = (Ints)(denormal ? x * 8388608.f : x);
  const Ints fraction = bits & 0x7fffff;
  const Ints upper = fraction > 0x3504f3;  // beyond √2: halve the mantissa, raise the exponent
  const Ints exponent = ((bits >> 23) & 0xff) - 127 - (upper ? splat(-1) : splat(0)) - (denormal ? splat(23) : splat(0));
  const Floats m = (Floats)(fraction | (upper ? splat(0x3f000000) : splat(0x3f800000)));
  const Floats s = (m - 1.f) / (m + 1.f);
  const Floats z = s * s;
  Floats p = z * (1.f / 9) + 1.f / 7;
  p = p * z + 1.f / 5;
  p = p * z + 1.f / 3;
  const Floats twice = s + s;
  const Floats e = __builtin_convertvector(exponent, Floats);
  const Floats result = e * detail::ln2High + (twice + (twice * z * p + e * detail::ln2Low));
  const Floats special = x == 0.f ? splat(-infinity) : splat(std::numeric_limits<float>::quiet_NaN());
  const Ints regular = (x > 0.f) & (x < infinity);
  return regular ? result : (x == infinity ? x : special);
}

// ---- bf16: the upper half of a float, rounded to nearest even ------------------------------------------------------

/** The nearest bf16 value, still as a float; NaN stays NaN. */
MM_INLINE Floats roundToBf16(Floats x) {
  const Words bits = (Words)x;
  const Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
  return x == x ? (Floats)rounded : (Floats)(bits | 0x400000u);
}

/** Lane i holds two bf16 numbers: even_i in the low half, odd_i in the high half. */
MM_INLINE Floats pairBf16(Floats even, Floats odd) {
#if defined(__AVX512BF16__) && MM_LANES == 16
  // All even numbers as 16-bit halves, then all odd ones; half i of the result's lane is half i·16 + lane of these.
  const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
  const Ints interleaved = laneIndex() | (laneIndex() + lanes) << 16;
  return (Floats)_mm512_permutexvar_epi16((__m512i)interleaved, halves);
#else
  return (Floats)(((Words)roundToBf16(even) >> 16) | (Words)roundToBf16(odd));
#endif
}

/** Two vectors of numbers that follow each other in memory as one vector of bf16 pairs: lane i holds 2i and 2i + 1. */
MM_INLINE Floats narrowToBf16(Floats first, Floats second) {
#if defined(__AVX512BF16__) && MM_LANES == 16
  return (Floats)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
#else
  struct Even {
    static constexpr int at(int i) { return 2 * i; }
  };
  struct Odd {
    static constexpr int at(int i) { return 2 * i + 1; }
  };
  return pairBf16(shuffle<Even>(first, second), shuffle<Odd>(first, second));
#endif
}

/** sum + a_even·b_even + a_odd·b_odd on lanes of bf16 pairs, products and sum in fp32. */
MM_INLINE Floats dotBf16(Floats a, Floats b, Floats sum) {
#if defined(__AVX512BF16__) && MM_LANES == 16
  return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)(__m512)a, (__m512bh)(__m512)b);
#else
  const Floats evenA = (Floats)((Words)a << 16), evenB = (Floats)((Words)b << 16);
  const Floats oddA = (Floats)((Words)a & 0xffff0000u), oddB = (Floats)((Words)b & 0xffff0000u);
  return oddA * oddB + (evenA * evenB + sum);
#endif
}

}  // namespace mm::MM_ISA
