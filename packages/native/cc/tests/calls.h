// Calling kernels as JavaScript does, by name: on each instruction set in turn, and for several numbers of threads, which
// must all give the same bits. And what results are compared with: definitions in double precision.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "check.h"

namespace mm::tests {

using std::vector;
using Doubles = vector<double>;

/** Ends a test that calls a kernel which this build does not have: the GPU has fewer than the CPU. */
struct NotHere {
  const char* kernel;
};

/** Enters a test of kernels, which runs for each instruction set that the machine has. */
struct KernelEntry {
  KernelEntry(const char* name, void (*run)());
};
#define KERNEL_TEST(function, title) static KernelEntry entry_##function(title, function);

/** An argument of a kernel: numbers that it reads, memory that it writes, or one number. */
struct Value {
  enum Kind { given, written, number, null } kind;
  vector<std::byte> memory;
  double scalar = 0;

  template <class T>
  Value(const vector<T>& numbers, Kind kind = given) : kind(kind), memory(numbers.size() * sizeof(T)) {
    if (!numbers.empty()) std::memcpy(memory.data(), numbers.data(), memory.size());
  }
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  Value(T x) : kind(number), scalar(static_cast<double>(x)) {}
  Value(std::nullptr_t) : kind(null) {}
};

/** Memory for `count` results; it starts with bits that are no sensible number. */
template <class T = float>
Value room(int64_t count) {
  Value value(vector<T>(count), Value::written);
  if (count > 0) std::memset(value.memory.data(), 0xff, value.memory.size());
  return value;
}
/** Numbers that a kernel changes where they lie. */
template <class T>
Value changed(const vector<T>& numbers) {
  return {numbers, Value::written};
}

/** What the kernel wrote, as floats, one vector for each written argument; for 1, 2 and 3 threads the same bits. */
vector<vector<float>> call(const char* name, const vector<Value>& values);
/** The same for one number of threads. */
vector<vector<float>> callWithThreads(int threads, const char* name, const vector<Value>& values);

vector<float> randomNumbers(Numbers& numbers, int64_t count);

/** Largest distance, relative to the largest number expected (or to 1); infinite where NaN is not expected. */
double distance(const vector<float>& found, const Doubles& expected);
#define CHECK_NEAR(found, expected, tolerance) CHECK(distance(found, expected) < (tolerance))

/** y = f(inputs) in double precision. */
using Definition = std::function<Doubles(const vector<Doubles>& inputs)>;
vector<Doubles> inDouble(const vector<vector<float>>& inputs);
/** Of Σ_i dy_i f(inputs)_i with respect to one of the inputs, by central differences. */
Doubles gradient(const Definition& f, const vector<vector<float>>& inputs, size_t which, const vector<float>& dy);

/** Whether the dropout mask of that key keeps an element: the definition of @mm/ops, bit by bit. */
bool isKept(uint32_t key0, uint32_t key1, uint32_t threshold, uint32_t row, uint32_t column);
inline double keptScale(uint32_t threshold) { return 1 / (1 - threshold / 65536.); }

}  // namespace mm::tests
