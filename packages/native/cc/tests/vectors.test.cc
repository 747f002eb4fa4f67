// Tests of what every instruction set compiles anew: vectors, elementary functions, random bits, products.
#include <cmath>
#include <memory>
#include <vector>

#include "../gemm.h"
#include "../kernel.h"
#include "../packing.h"
#include "../philox.h"
#include "../threads.h"
#include "check.h"

namespace mm::MM_ISA {
namespace {

using tests::Numbers;

void transposesSquares() {
  Floats rows[lanes];
  for (int i = 0; i < lanes; i++)
    for (int j = 0; j < lanes; j++) rows[i][j] = static_cast<float>(i * 100 + j);
  transpose(rows);
  for (int i = 0; i < lanes; i++)
    for (int j = 0; j < lanes; j++) CHECK(rows[i][j] == static_cast<float>(j * 100 + i));
}
TEST(transposesSquares, "a square in registers is transposed")

void touchesOnlyTheFirst() {
  for (int count = 0; count <= lanes; count++) {
    auto memory = std::make_unique<float[]>(count);  // the sanitizer sees any access beyond
    for (int i = 0; i < count; i++) memory[i] = static_cast<float>(i + 1);
    const Floats v = loadFirst(memory.get(), count);
    for (int i = 0; i < lanes; i++) CHECK(v[i] == (i < count ? static_cast<float>(i + 1) : 0.f));
    storeFirst(memory.get(), v + 1.f, count);
    for (int i = 0; i < count; i++) CHECK(memory[i] == static_cast<float>(i + 2));
  }
}
TEST(touchesOnlyTheFirst, "tails touch only their own numbers")

void sumsLanes() {
  Floats v;
  for (int i = 0; i < lanes; i++) v[i] = static_cast<float>(i + 1);
  CHECK(sum(v) == static_cast<float>(lanes * (lanes + 1) / 2));
  CHECK(maximum(-v) == -1.f);
  CHECK(std::signbit(splat(-0.f)[lanes - 1]));
}
TEST(sumsLanes, "lanes are summed, and -0 stays -0")

void sumsManyVectors() {
  Floats rows[lanes];
  for (int i = 0; i < lanes; i++) rows[i] = __builtin_convertvector(laneIndex() + i * 100, Floats);
  const Floats all = sumsOf(lanes - 1, [&](int64_t i) { return rows[i]; });
  for (int i = 0; i < lanes - 1; i++) CHECK(all[i] == sum(rows[i]));
  CHECK(all[lanes - 1] == 0);
}
TEST(sumsManyVectors, "as many vectors as there are lanes are summed together")

template <class Approximate, class Exact>
void compare(Approximate approximate, Exact exact, double low, double high, double tolerance) {
  for (int i = 0; i <= 20000; i++) {
    const float x = static_cast<float>(low + (high - low) * i / 20000);
    const double expected = exact(static_cast<double>(x)), found = approximate(splat(x))[i % lanes];
    CHECK(std::fabs(found - expected) <= tolerance * std::fabs(expected) + 2e-45);
  }
}
void approximatesFunctions() {
  compare([](Floats x) { return exp(x); }, [](double x) { return std::exp(x); }, -103, 88.7, 2e-7);
  compare([](Floats x) { return expBounded(x); }, [](double x) { return std::exp(x); }, -87, 88, 2e-7);
  compare([](Floats x) { return log(x); }, [](double x) { return std::log(x); }, 1e-3, 3, 3e-7);
  compare([](Floats x) { return log(x); }, [](double x) { return std::log(x); }, 1, 1e30, 2e-7);
  compare([](Floats x) { return tanh(x); }, [](double x) { return std::tanh(x); }, -10, 10, 4e-7);
  CHECK(expBounded(splat(-INFINITY))[0] == 0 && exp(splat(INFINITY))[0] == INFINITY && std::isnan(exp(splat(NAN))[0]));
}
TEST(approximatesFunctions, "exp, log and tanh are within a few units in the last place")

/** Known answers published with the Random123 library. */
void drawsPhilox() {
  const uint32_t ones = 0xffffffffu;
  const PhiloxBlock zero = philox<10>(Words{}, Words{}, Words{}, Words{}, 0, 0);
  const PhiloxBlock one = philox<10>(splat(ones), splat(ones), splat(ones), splat(ones), ones, ones);
  const PhiloxBlock seven = philox<7>(Words{}, Words{}, Words{}, Words{}, 0, 0);
  for (int lane = 0; lane < lanes; lane++) {
    CHECK(zero.word[0][lane] == 0x6627e8d5u && zero.word[1][lane] == 0xe169c58du);
    CHECK(zero.word[2][lane] == 0xbc57ac4cu && zero.word[3][lane] == 0x9b00dbd8u);
    CHECK(one.word[0][lane] == 0x408f276du && one.word[3][lane] == 0x6d5451fdu);
    CHECK(seven.word[0][lane] == 0x5f6fb709u && seven.word[3][lane] == 0x4f730a48u);
  }
}
TEST(drawsPhilox, "Philox gives the published words in every lane")

void roundsToBf16() {
  CHECK(roundToBf16(splat(1.00390625f))[0] == 1.f);        // a tie goes to the even number
  CHECK(roundToBf16(splat(1.01171875f))[0] == 1.015625f);  // here the even one is above
  CHECK(roundToBf16(splat(-INFINITY))[0] == -INFINITY && std::isnan(roundToBf16(splat(NAN))[0]));
  Floats first, second;
  for (int i = 0; i < lanes; i++) {
    first[i] = static_cast<float>(i);
    second[i] = static_cast<float>(lanes + i);
  }
  const Floats one = pairBf16(splat(1.f), splat(1.f));
  const Floats pairs = dotBf16(narrowToBf16(first, second), one, Floats{});
  for (int i = 0; i < lanes; i++) CHECK(pairs[i] == static_cast<float>(4 * i + 1));  // 2i + (2i + 1)
}
TEST(roundsToBf16, "bf16 rounds to even, and pairs lie as they follow each other in memory")

/** C against sums in double precision, for every transpose and precision. */
void checkProduct(int64_t m, int64_t n, int64_t k, bool transposeA, bool transposeB, bool bf16) {
  Numbers numbers(static_cast<unsigned>(m * 31 + n * 7 + k));
  std::vector<float> a(m * k), b(k * n), c(m * n), bias(n);
  for (auto* values : {&a, &b, &c, &bias})
    for (float& x : *values) x = numbers.next();
  const std::vector<float> before = c;
  Matrix left = rowMajor(a.data(), transposeA ? m : k), right = rowMajor(b.data(), transposeB ? k : n);
  if (transposeA) left = transposed(left);
  if (transposeB) right = transposed(right);
  const GemmOptions options{.alpha = 0.5f, .accumulate = true, .rowVector = bias.data(), .bf16 = bf16};
  gemm(m, n, k, left, right, c.data(), n, options);
  const auto value = [&](Matrix matrix, int64_t i, int64_t j) {
    const float x = matrix.data[i * matrix.rowStride + j * matrix.columnStride];
    return static_cast<double>(bf16 ? roundToBf16(splat(x))[0] : x);
  };
  double worst = 0;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double total = 0;
      for (int64_t l = 0; l < k; l++) total += value(left, i, l) * value(right, l, j);
      worst = std::max(worst, std::fabs(c[i * n + j] - (0.5 * total + before[i * n + j] + bias[j])));
    }
  CHECK(worst < 1e-6 * (4 + std::sqrt(static_cast<double>(k))));
  // The same bits alone and for another number of threads.
  std::vector<float> alone = before, three = before;
  gemmOnThread(0, m, n, k, left, right, alone.data(), n, options);
  setThreadCount(3);
  gemm(m, n, k, left, right, three.data(), n, options);
  setThreadCount(2);
  CHECK(std::memcmp(c.data(), alone.data(), sizeof(float) * m * n) == 0);
  CHECK(std::memcmp(c.data(), three.data(), sizeof(float) * m * n) == 0);
}
void multiplies() {
  setThreadCount(2);
  const int64_t shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {14, 32, 16}, {15, 33, 17}, {29, 70, 391}, {61, 97, 770}, {9, 11, 3300}};
  for (const auto& [m, n, k] : shapes)
    for (int flags = 0; flags < 8; flags++) checkProduct(m, n, k, flags & 1, flags & 2, flags & 4);
}
TEST(multiplies, "products agree with sums in double precision, with the same bits for any number of threads")

}  // namespace
}  // namespace mm::MM_ISA
