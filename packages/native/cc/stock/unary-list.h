// Elementwise functions of one operand, one line each: name, types, result from x. VECTOR lines are for float, and are
// computed a vector at a time where there are vectors; NUMBER lines have one number of any type; WITH_PARAMETERS lines know
// two numbers more, p and q. Included where these words make kernels: unary.cc, cuda/kernels/unary.cu.

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

WITH_PARAMETERS(clipFloat, x > q ? q : x < p ? p : x)
WITH_PARAMETERS(stepFloat, x != x ? x : x > 0 ? 1.f : p)
WITH_PARAMETERS(leakyReluFloat, x < 0 ? p * x : x)
