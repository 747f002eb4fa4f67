// Discrete Fourier transforms of rows: X_k = Σ_j x_j e^{∓2πi jk/n}; the inverse also divides by n. Powers of two by
// Stockham's sorting radix-2 scheme; any other length as a convolution of a power of two (Bluestein's chirp).
#include <cmath>
#include <numbers>

#include "../kernel.h"
#include "../memory.h"
#include "../threads.h"
#include "../vector-math.h"

namespace mm::MM_ISA {

/** Complex numbers in two arrays. */
struct Signal {
  double *real, *imaginary;
};

static int64_t nextPower(int64_t n) {
  int64_t power = 1;
  while (power < n) power *= 2;
  return power;
}

/** cos and -sin of 2πk/n for k < n/2. */
static void fillTwiddles(Signal w, int64_t n) {
  for (int64_t k = 0; k < n / 2; k++) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
    w.real[k] = std::cos(angle);
    w.imaginary[k] = -std::sin(angle);
  }
}

/** Transforms x of n = 2^p numbers; the result is in x, `other` is scratch of the same size. */
static void transformPower(Signal x, Signal other, Signal w, int64_t n) {
  Signal from = x, to = other;
  for (int64_t half = n / 2, stride = 1; half >= 1; half /= 2, stride *= 2) {
    for (int64_t p = 0; p < half; p++) {
      const double wr = w.real[p * stride], wi = w.imaginary[p * stride];
      for (int64_t q = 0; q < stride; q++) {
        const int64_t a = q + stride * p, b = q + stride * (p + half);
        const int64_t even = q + stride * 2 * p, odd = even + stride;
        const double dr = from.real[a] - from.real[b], di = from.imaginary[a] - from.imaginary[b];
        to.real[even] = from.real[a] + from.real[b];
        to.imaginary[even] = from.imaginary[a] + from.imaginary[b];
        to.real[odd] = dr * wr - di * wi;
        to.imaginary[odd] = dr * wi + di * wr;
      }
    }
    std::swap(from, to);
  }
  if (from.real != x.real) {
    std::copy(from.real, from.real + n, x.real);
    std::copy(from.imaginary, from.imaginary + n, x.imaginary);
  }
}

/** jk = (j² + k² - (k - j)²)/2 turns the transform into a convolution with the chirp e^{iπj²/n}. */
static void transformAny(Signal x, int64_t n, Scratch& scratch) {
  const int64_t m = nextPower(2 * n);
  const auto take = [&](int64_t count) { return Signal{scratch.take<double>(count), scratch.take<double>(count)}; };
  const Signal w = take(m / 2 + 1), a = take(m), b = take(m), other = take(m), chirp = take(n);
  fillTwiddles(w, m);
  for (int64_t j = 0; j < n; j++) {
    const double angle = std::numbers::pi * static_cast<double>(j * j % (2 * n)) / static_cast<double>(n);
    chirp.real[j] = std::cos(angle);
    chirp.imaginary[j] = -std::sin(angle);
  }
  for (const Signal& s : {a, b}) {
    std::fill(s.real, s.real + m, 0.0);
    std::fill(s.imaginary, s.imaginary + m, 0.0);
  }
  for (int64_t j = 0; j < n; j++) {
    a.real[j] = x.real[j] * chirp.real[j] - x.imaginary[j] * chirp.imaginary[j];
    a.imaginary[j] = x.real[j] * chirp.imaginary[j] + x.imaginary[j] * chirp.real[j];
    b.real[j] = chirp.real[j];
    b.imaginary[j] = -chirp.imaginary[j];
    if (j > 0) {
      b.real[m - j] = b.real[j];
      b.imaginary[m - j] = b.imaginary[j];
    }
  }
  transformPower(a, other, w, m);
  transformPower(b, other, w, m);
  for (int64_t k = 0; k < m; k++) {  // conjugated, so that the forward transform inverts
    const double real = a.real[k] * b.real[k] - a.imaginary[k] * b.imaginary[k];
    a.imaginary[k] = -(a.real[k] * b.imaginary[k] + a.imaginary[k] * b.real[k]);
    a.real[k] = real;
  }
  transformPower(a, other, w, m);
  for (int64_t k = 0; k < n; k++) {
    const double real = a.real[k] / static_cast<double>(m), imaginary = -a.imaginary[k] / static_cast<double>(m);
    x.real[k] = real * chirp.real[k] - imaginary * chirp.imaginary[k];
    x.imaginary[k] = real * chirp.imaginary[k] + imaginary * chirp.real[k];
  }
}

static void fourierTransform(const float* real, const float* imaginary, float* outReal, float* outImaginary, int64_t rows,
                             int64_t n, bool inverse) {
  if (n == 0) return;
  const bool power = nextPower(n) == n;
  Scratch shared(0);
  const Signal w{shared.take<double>(n / 2 + 1), shared.take<double>(n / 2 + 1)};
  if (power) fillTwiddles(w, n);
  // The inverse of x is the conjugate of the transform of the conjugate, divided by n.
  const double sign = inverse ? -1 : 1, factor = inverse ? 1.0 / static_cast<double>(n) : 1;
  parallelFor(rows, [&](int64_t row, int thread) {
    Scratch scratch(thread);
    const Signal x{scratch.take<double>(n), scratch.take<double>(n)};
    for (int64_t j = 0; j < n; j++) {
      x.real[j] = real[row * n + j];
      x.imaginary[j] = sign * imaginary[row * n + j];
    }
    if (power) {
      const Signal other{scratch.take<double>(n), scratch.take<double>(n)};
      transformPower(x, other, w, n);
    } else {
      transformAny(x, n, scratch);
    }
    for (int64_t j = 0; j < n; j++) {
      outReal[row * n + j] = static_cast<float>(factor * x.real[j]);
      outImaginary[row * n + j] = static_cast<float>(sign * factor * x.imaginary[j]);
    }
  });
}
MM_KERNEL(fourierTransform)

}  // namespace mm::MM_ISA
