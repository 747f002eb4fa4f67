// The exponential of the softmaxes, to base 2: scores are multiplied by log2 e in the same step that subtracts the
// maximum, and the reduction of the argument is then exact.
#pragma once
#include "../vector-math.h"

namespace mm::MM_ISA {

/** Factor from natural to binary logarithms and back. */
constexpr float log2e = 1.44269504f, ln2 = 0.69314718f;

/** 2^x for x <= 127 with a relative error below 4e-7; 0 for x < -150 (also at -inf), NaN for NaN. */
MM_INLINE Floats exp2Softmax(Floats x) {
#if defined(__AVX512F__) && MM_LANES == 16
  // 2^x = 2^⌊x⌋·2^r with r = x - ⌊x⌋, each an instruction: a fifth faster than below.
  constexpr int downwards = 1;
  const Floats r = (Floats)_mm512_reduce_ps((__m512)x, downwards);
  // the polynomial below, of r - ½ instead of r, times √2
  Floats p = splat(0.00187757668f);
  p = p * r + 0.00898933961f;
  p = p * r + 0.0558263165f;
  p = p * r + 0.240153624f;
  p = p * r + 0.693153029f;
  p = p * r + 0.999999986f;
  return (Floats)_mm512_scalef_ps((__m512)p, (__m512)x);
#else
  x = max(splat(-127.f), x);
  // Adding 1.5·2^23 rounds to an integer n, which then stands in the low bits, here with the exponent's bias: shifted to
  // the exponent they are 2^n, and 0 for n = -127.
  constexpr float shift = 12582912.f + 127.f;
  const Floats shifted = x + shift;
  const Floats r = x - (shifted - shift);  // in [-½, ½]
  // minimax polynomial of 2^r for the relative error
  Floats p = splat(0.0013276472f);
  p = p * r + 0.0096755410f;
  p = p * r + 0.055507131f;
  p = p * r + 0.24022120f;
  p = p * r + 0.69314694f;
  p = p * r + 1.0000001f;
  return p * (Floats)((Ints)shifted << 23);
#endif
}

}  // namespace mm::MM_ISA
