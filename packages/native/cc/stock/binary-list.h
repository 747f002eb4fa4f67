// Elementwise functions of two operands, one line each: name, type of operands, type of result, x∘y. NaN in either operand
// gives NaN (also in maximum and minimum). Included where BINARY makes kernels of them: binary.cc, cuda/kernels/binary.cu.

/** Remainder with the sign of the divisor. */
static MM_INLINE float floorMod(float x, float y) {
  const float remainder = std::fmod(x, y);
  return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder;
}
/** Integers wrap around as they do in JavaScript, and nothing traps. */
static MM_INLINE int32_t wrap(uint32_t x) { return static_cast<int32_t>(x); }
static MM_INLINE int32_t floorDivide(int32_t x, int32_t y) {
  return y == 0 ? 0 : static_cast<int32_t>(static_cast<int64_t>(std::floor(static_cast<double>(x) / y)));
}
static MM_INLINE int32_t floorMod(int32_t x, int32_t y) {
  return y == 0 ? 0 : static_cast<int32_t>(x - std::floor(static_cast<double>(x) / y) * y);
}
static MM_INLINE int32_t power(int32_t x, int32_t y) {
  const double result = std::fmod(std::pow(double(x), double(y)), 4294967296.0);
  return result == result ? static_cast<int32_t>(static_cast<int64_t>(result)) : 0;  // NaN for what is infinite
}

BINARY(addFloat, float, float, x + y)
BINARY(subFloat, float, float, x - y)
BINARY(multiplyFloat, float, float, x * y)
BINARY(realDivFloat, float, float, x / y)
BINARY(floorDivFloat, float, float, std::floor(x / y))
BINARY(modFloat, float, float, floorMod(x, y))
BINARY(powFloat, float, float, std::pow(x, y))
BINARY(atan2Float, float, float, std::atan2(x, y))
BINARY(hypotFloat, float, float, std::hypot(x, y))
BINARY(maximumFloat, float, float, x > y || x != x ? x : y)
BINARY(minimumFloat, float, float, x < y || x != x ? x : y)
BINARY(squaredDifferenceFloat, float, float, (x - y) * (x - y))
BINARY(preluFloat, float, float, x < 0 ? x * y : x)
BINARY(eluGradFloat, float, float, y >= 0 ? x : x * (y + 1))
BINARY(equalFloat, float, uint8_t, x == y)
BINARY(notEqualFloat, float, uint8_t, x != y)
BINARY(lessFloat, float, uint8_t, x < y)
BINARY(lessEqualFloat, float, uint8_t, x <= y)
BINARY(greaterFloat, float, uint8_t, x > y)
BINARY(greaterEqualFloat, float, uint8_t, x >= y)

BINARY(addInt, int32_t, int32_t, wrap(uint32_t(x) + uint32_t(y)))
BINARY(subInt, int32_t, int32_t, wrap(uint32_t(x) - uint32_t(y)))
BINARY(multiplyInt, int32_t, int32_t, wrap(uint32_t(x) * uint32_t(y)))
BINARY(floorDivInt, int32_t, int32_t, floorDivide(x, y))
BINARY(modInt, int32_t, int32_t, floorMod(x, y))
BINARY(powInt, int32_t, int32_t, power(x, y))
BINARY(maximumInt, int32_t, int32_t, x > y ? x : y)
BINARY(minimumInt, int32_t, int32_t, x < y ? x : y)
BINARY(squaredDifferenceInt, int32_t, int32_t, wrap((uint32_t(x) - uint32_t(y)) * (uint32_t(x) - uint32_t(y))))
BINARY(bitwiseAndInt, int32_t, int32_t, x & y)
BINARY(equalInt, int32_t, uint8_t, x == y)
BINARY(notEqualInt, int32_t, uint8_t, x != y)
BINARY(lessInt, int32_t, uint8_t, x < y)
BINARY(lessEqualInt, int32_t, uint8_t, x <= y)
BINARY(greaterInt, int32_t, uint8_t, x > y)
BINARY(greaterEqualInt, int32_t, uint8_t, x >= y)

BINARY(logicalAndBool, uint8_t, uint8_t, (x != 0) & (y != 0))
BINARY(logicalOrBool, uint8_t, uint8_t, (x != 0) | (y != 0))
