#include "calls.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include "../kernel.h"
#include "../threads.h"
#include "runner.h"

namespace mm::tests {

namespace {

int currentLevel = 0;
std::set<std::string>& called() {
  static std::set<std::string> names;
  return names;
}
struct KernelTest {
  const char* name;
  void (*run)();
};
vector<KernelTest>& kernelTests() {
  static vector<KernelTest> list;
  return list;
}

vector<vector<float>> callOnce(const Kernel& kernel, vector<Value> values) {
  vector<Argument> arguments;
  for (Value& value : values) {
    Argument argument;
    if (value.kind == Value::number) argument.number = value.scalar;
    else argument.pointer = value.kind == Value::null ? nullptr : value.memory.data();
    arguments.push_back(argument);
  }
  kernel.call(arguments.data());
  vector<vector<float>> results;
  for (const Value& value : values) {
    if (value.kind != Value::written) continue;
    // Bytes that fill no float are compared too.
    results.emplace_back((value.memory.size() + sizeof(float) - 1) / sizeof(float));
    if (!value.memory.empty()) std::memcpy(results.back().data(), value.memory.data(), value.memory.size());
  }
  return results;
}

bool sameBits(const vector<vector<float>>& a, const vector<vector<float>>& b) {
  for (size_t i = 0; i < a.size(); i++)
    if (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)) != 0) return false;
  return true;
}

}  // namespace

KernelEntry::KernelEntry(const char* name, void (*run)()) { kernelTests().push_back({name, run}); }

vector<vector<float>> callWithThreads(int threads, const char* name, const vector<Value>& values) {
  called().insert(name);
  const Kernel* kernel = findKernel(name, currentLevel);
#ifdef MM_CUDA
  if (kernel == nullptr) throw NotHere{name};
#endif
  const int arity = kernel == nullptr ? -1 : kernel->arity;
  if (arity != static_cast<int>(values.size())) {
    std::printf("%s takes %d arguments, not %zu\n", name, arity, values.size());
    std::abort();
  }
  setThreadCount(threads);
  return callOnce(*kernel, values);
}

vector<vector<float>> call(const char* name, const vector<Value>& values) {
  const auto alone = callWithThreads(1, name, values);
  for (int threads : {2, 3}) {
    const bool isIndependentOfThreads = sameBits(alone, callWithThreads(threads, name, values));
    if (!isIndependentOfThreads) std::printf("  %s differs with %d threads\n", name, threads);
    CHECK(isIndependentOfThreads);
  }
  return alone;
}

void runKernelTests() {
  const int best = findKernel("matMul")->level;
  for (const auto& [level, name] : {std::pair{levelBaseline, "baseline"}, {levelAvx2, "avx2"}, {levelAvx512, "avx512"},
                                    {levelAvx512Bf16, "avx512bf16"}, {levelWide, "wide"}}) {
    const Kernel* kernel = findKernel("matMul", level);
    const bool runs = level == levelWide ? best >= levelAvx2 : level <= best;
    if (!runs || kernel == nullptr || kernel->level != level) continue;
    currentLevel = level;
    for (const KernelTest& test : kernelTests()) {
      std::printf("%s: %s\n", name, test.name);
      std::fflush(stdout);
      try {
        test.run();
      } catch (const NotHere& missing) {
        std::printf("  left out: no kernel %s here\n", missing.kernel);
      }
    }
  }
  // Speed is all that these do.
  for (const char* name : {"peakFp32", "peakBf16"}) called().insert(name);
  visitKernels(
      [](const Kernel& kernel, void*) {
        const bool isTested = called().contains(kernel.name);
        if (!isTested) std::printf("  no test calls %s\n", kernel.name);
        CHECK(isTested);
      },
      nullptr);
}

vector<float> randomNumbers(Numbers& numbers, int64_t count) {
  vector<float> all(count);
  for (float& x : all) x = numbers.next();
  return all;
}

double distance(const vector<float>& found, const Doubles& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double worst = 0, largest = 1;
  for (size_t i = 0; i < expected.size(); i++) {
    const double error = std::fabs(found[i] - expected[i]);
    worst = error == error ? std::max(worst, error) : INFINITY;
    largest = std::max(largest, std::fabs(expected[i]));
  }
  return worst / largest;
}

vector<Doubles> inDouble(const vector<vector<float>>& inputs) {
  vector<Doubles> all;
  for (const auto& input : inputs) all.emplace_back(input.begin(), input.end());
  return all;
}

Doubles gradient(const Definition& f, const vector<vector<float>>& inputs, size_t which, const vector<float>& dy) {
  constexpr double step = 1e-5;
  vector<Doubles> exact = inDouble(inputs);
  const auto along = [&] {
    const Doubles y = f(exact);
    double total = 0;
    for (size_t i = 0; i < y.size(); i++) total += y[i] * dy[i];
    return total;
  };
  Doubles result;
  for (double& x : exact[which]) {
    const double middle = x;
    x = middle + step;
    const double above = along();
    x = middle - step;
    result.push_back((above - along()) / (2 * step));
    x = middle;
  }
  return result;
}

bool isKept(uint32_t key0, uint32_t key1, uint32_t threshold, uint32_t row, uint32_t column) {
  uint32_t word[4] = {column >> 3, row, 0, 0};
  for (int round = 0; round < 7; round++) {
    const uint64_t first = uint64_t{0xd2511f53} * word[0], second = uint64_t{0xcd9e8d57} * word[2];
    const uint32_t next[4] = {static_cast<uint32_t>(second >> 32) ^ word[1] ^ key0, static_cast<uint32_t>(second),
                              static_cast<uint32_t>(first >> 32) ^ word[3] ^ key1, static_cast<uint32_t>(first)};
    std::copy(next, next + 4, word);
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  const uint32_t both = word[(column >> 1) & 3];
  return (column % 2 == 0 ? both & 0xffff : both >> 16) >= threshold;
}

}  // namespace mm::tests
