#include "kernel.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace mm {

// Set by the linker around the section of all kernels.
extern "C" Kernel __start_mm_kernels[] __attribute__((visibility("hidden")));
extern "C" Kernel __stop_mm_kernels[] __attribute__((visibility("hidden")));

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

const std::map<std::string, const Kernel*>& chosenKernels() {
  static const auto* kernels = [] {
    auto* chosen = new std::map<std::string, const Kernel*>;
    for (const Kernel* kernel = __start_mm_kernels; kernel != __stop_mm_kernels; kernel++) {
      if (kernel->level > usedLevel()) continue;
      const Kernel*& best = (*chosen)[kernel->name];
      if (best == nullptr || best->level < kernel->level) best = kernel;
    }
    return chosen;
  }();
  return *kernels;
}

}  // namespace

const Kernel* findKernel(const char* name) {
  const auto found = chosenKernels().find(name);
  return found == chosenKernels().end() ? nullptr : found->second;
}

const Kernel* findKernel(const char* name, int level) {
  const Kernel* best = nullptr;
  for (const Kernel* kernel = __start_mm_kernels; kernel != __stop_mm_kernels; kernel++)
    if (kernel->level <= level && std::strcmp(kernel->name, name) == 0 && (!best || best->level < kernel->level))
      best = kernel;
  return best;
}

void visitKernels(void (*visit)(const Kernel&, void*), void* context) {
  for (const auto& [name, kernel] : chosenKernels()) visit(*kernel, context);
}

const char* instructionSet() {
  for (const auto& [name, level] : names)
    if (level == usedLevel()) return name;
  return "";
}

}  // namespace mm
