#include <cstdio>
#include <vector>

#include "../kernel.h"
#include "check.h"
#include "runner.h"

namespace mm::tests {

namespace {
int failures = 0;
std::vector<Test>& tests() {
  static std::vector<Test> list;
  return list;
}
}  // namespace

Entry::Entry(const char* name, int level, void (*run)()) { tests().push_back({name, level, run}); }

void fail(const char* file, int line, const char* condition) {
  std::printf("  %s:%d: %s\n", file, line, condition);
  failures++;
}

}  // namespace mm::tests

int main() {
  using namespace mm::tests;
  const mm::Kernel* best = mm::findKernel("matMul");
  for (const Test& test : tests()) {
    // `wide` runs on AVX2; the others need their machine.
    const bool runs = test.level == mm::levelWide ? best->level >= mm::levelAvx2 : test.level <= best->level;
    if (!runs) continue;
    std::printf("%s\n", test.name);
    std::fflush(stdout);
    test.run();
  }
  runKernelTests();
  std::printf(failures == 0 ? "all passed\n" : "%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
