// Which instruction sets this machine has, and which is used.
#include <cstdlib>
#include <cstring>

#include "kernel.h"

namespace mm {
namespace {

struct Name {
  const char* name;
  int level;
};
constexpr Name names[] = {{"baseline", levelBaseline},
                          {"avx2", levelAvx2},
                          {"avx512", levelAvx512},
                          {"avx512bf16", levelAvx512Bf16},
                          {"wide", levelWide}};

int machineLevel() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512 && __builtin_cpu_supports("avx512bf16")) return levelAvx512Bf16;
  return avx512 ? levelAvx512 : avx2 ? levelAvx2 : levelBaseline;
#else
  return levelBaseline;
#endif
}

}  // namespace

int usedLevel() {
  static const int level = [] {
    const int machine = machineLevel();
    if (const char* wanted = std::getenv("MM_ISA"))
      for (const auto& [name, level] : names)
        if (std::strcmp(name, wanted) == 0 && (level <= machine || (level == levelWide && machine >= levelAvx2)))
          return level;
    return machine;
  }();
  return level;
}

const char* instructionSet() {
  for (const auto& [name, level] : names)
    if (level == usedLevel()) return name;
  return "";
}

}  // namespace mm
