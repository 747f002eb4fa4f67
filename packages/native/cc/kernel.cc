#include "kernel.h"

#include <cstring>
#include <map>
#include <string>

namespace mm {

// Set by the linker around the section of all kernels.
extern "C" Kernel __start_mm_kernels[] __attribute__((visibility("hidden")));
extern "C" Kernel __stop_mm_kernels[] __attribute__((visibility("hidden")));

namespace {

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

}  // namespace mm
