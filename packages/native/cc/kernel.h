// How a kernel is declared. A kernel is a plain function in namespace mm::MM_ISA,
//
//   static void scaleRows(const float* x, const float* scale, float* y, int64_t rows, int64_t columns) { … }
//   MM_KERNEL(scaleRows)
//
// and JavaScript calls it as addon.scaleRows(address, address, address, 12, 64). The one line MM_KERNEL derives the
// conversion of arguments from the function's type and enters the kernel into a table; when the addon is loaded, the best
// instruction set that was compiled for a name and that the machine has is chosen.
//
// Parameters: pointers (JavaScript passes the address of a tensor's buffer, a typed array, or null), integers, floats,
// bool. Result: void or a number. Kernels throw nothing and check nothing: the TypeScript side has done that.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace mm {

/** Ranks of the instruction sets; the build names one per unit as MM_LEVEL. */
enum Level : int { levelBaseline = 0, levelAvx2 = 1, levelAvx512 = 2, levelAvx512Bf16 = 3, levelWide = 9 };

union Argument {
  void* pointer;
  double number;
};

struct Kernel {
  const char* name;
  int level;
  int arity;
  const char* parameters;  // one letter each: i pointer to what is read, o to what is written, n number
  double (*call)(const Argument* arguments);
};

/** Thrown by a kernel that wants another backend to do the work; what it reads is as it was. */
struct Declined {};

#ifdef MM_ISA
// The table is a section of constant data, so that nothing compiled for an instruction set runs before it is chosen.
namespace MM_ISA {

template <class Parameter>
constexpr char letter() {
  if (!std::is_pointer_v<Parameter>) return 'n';
  return std::is_const_v<std::remove_pointer_t<Parameter>> ? 'i' : 'o';
}

template <class Function>
struct Binding;

template <class Result, class... Parameter>
struct Binding<Result (*)(Parameter...)> {
  static constexpr int arity = sizeof...(Parameter);
  static constexpr char parameters[] = {letter<Parameter>()..., '\0'};

  template <class T>
  static T convert(const Argument& argument) {
    if constexpr (std::is_pointer_v<T>) return static_cast<T>(argument.pointer);
    else if constexpr (std::is_same_v<T, bool>) return argument.number != 0;
    else return static_cast<T>(argument.number);
  }

  template <Result (*function)(Parameter...)>
  static double call(const Argument* arguments) {
    return spread<function>(arguments, std::make_index_sequence<arity>());
  }

 private:
  template <Result (*function)(Parameter...), size_t... I>
  static double spread([[maybe_unused]] const Argument* arguments, std::index_sequence<I...>) {
    if constexpr (std::is_void_v<Result>) {
      function(convert<Parameter>(arguments[I])...);
      return 0;
    } else {
      return static_cast<double>(function(convert<Parameter>(arguments[I])...));
    }
  }
};

}  // namespace MM_ISA

#define MM_KERNEL_AS(label, function)                                                                 \
  __attribute__((used, section("mm_kernels"))) static ::mm::Kernel kernel_##label = {                 \
      #label, MM_LEVEL, Binding<decltype(&function)>::arity, Binding<decltype(&function)>::parameters, \
      &Binding<decltype(&function)>::template call<&function>};
#define MM_KERNEL(function) MM_KERNEL_AS(function, function)
#endif

/** The chosen kernel of that name, or null. */
const Kernel* findKernel(const char* name);
/** The kernel of that name for the best instruction set up to `level`, whether chosen or not. For tests. */
const Kernel* findKernel(const char* name, int level);
/** Calls visit(kernel, context) for each chosen kernel. */
void visitKernels(void (*visit)(const Kernel& kernel, void* context), void* context);
/** Kernels above this level are not chosen. */
int usedLevel();
/** Name of the instruction set in use: that of the machine, or the one that MM_ISA in the environment asks for. */
const char* instructionSet();

}  // namespace mm
