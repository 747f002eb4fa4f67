// One token of WeightedMean, forwards and backwards, for a vector of channels or for one: included where Floats, Ints, exp,
// splat and MM_INLINE are vectors' (weighted-mean.cc) or one number's (cuda/kernels/recurrences.cu).

/** e^{a-m} and e^{b-m} with m the larger of both: one of them is 1. */
struct Shares {
  Floats a, b, larger;
  MM_INLINE Shares(Floats first, Floats second) {
    const Floats difference = first - second;
    const Ints firstIsSmaller = difference < 0.f;
    const Floats smaller = exp(firstIsSmaller ? difference : -difference);
    a = firstIsSmaller ? smaller : splat(1.f);
    b = firstIsSmaller ? splat(1.f) : smaller;
    larger = firstIsSmaller ? second : first;
  }
};

/** What a channel has of its own: w where it acts on the sums (ω), on the exponents by position, and on the newest token. */
struct Rates {
  Floats forget, slope, own;
  MM_INLINE Rates(Floats decay, Floats first, bool growing)
      : forget(growing ? Floats{} : decay), slope(growing ? decay : Floats{}), own(growing ? first + decay : first) {}
  MM_INLINE Floats exponent(Floats key, int64_t t) const { return key - static_cast<float>(t) * slope; }
};

/** Numerator and denominator of the tokens so far, relative to e^{exponent}. */
struct Sums {
  Floats numerator = {}, denominator = {}, exponent = splat(-1e30f);

  /** The next token joins; returns the shares of old sums and new token. */
  MM_INLINE Shares take(Floats exponentOfToken, Floats value, Floats forget) {
    const Shares shares(exponent - forget, exponentOfToken);
    numerator = shares.a * numerator + shares.b * value;
    denominator = shares.a * denominator + shares.b;
    exponent = shares.larger;
    return shares;
  }
};

/** Gradients of the sums after a step, and of what a channel has of its own, gathered backwards in time. */
struct MeanGradient {
  Floats numerator = {}, denominator = {}, decay = {}, first = {};

  struct Change {
    Floats key, value;
  };
  /** Takes the step back: `old` are the sums before it, dy is the gradient of its mean; gives those of key and value. */
  MM_INLINE Change take(const Sums& old, const Rates& rates, Floats exponent, Floats token, Floats dy, int64_t t,
                        bool growing) {
    Sums after = old;
    const Shares step = after.take(exponent, token, rates.forget);
    const Shares now(old.exponent, exponent + rates.own);
    const Floats inverse = 1.f / (now.a * old.denominator + now.b);
    const Floats mean = (now.a * old.numerator + now.b * token) * inverse;
    const Floats dTop = dy * inverse, dBottom = -dTop * mean;
    const Floats dOwn = now.b * (dTop * token + dBottom);
    const Floats dWritten = step.b * (numerator * token + denominator);
    const Floats dKept = step.a * (numerator * old.numerator + denominator * old.denominator);
    const Change change{dOwn + dWritten, now.b * dTop + step.b * numerator};
    first += dOwn;
    decay += growing ? dOwn - static_cast<float>(t) * (dOwn + dWritten) : -dKept;
    numerator = step.a * numerator + now.a * dTop;
    denominator = step.a * denominator + now.a * dBottom;
    return change;
  }
};
