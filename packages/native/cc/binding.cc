// The addon: every chosen kernel as a function of its own name, and memory, threads and information beside them.
#include <node_api.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "kernel.h"
#include "memory.h"
#include "system-memory.h"
#include "threads.h"

namespace mm {
namespace {

constexpr size_t maximalArguments = 32;

napi_value raise(napi_env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

napi_value toNumber(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

/** The start of a typed array's data; false when the value is none. */
bool typedArrayData(napi_env env, napi_value value, void** data, size_t* bytes = nullptr) {
  bool isTypedArray = false;
  napi_is_typedarray(env, value, &isTypedArray);
  if (!isTypedArray) return false;
  napi_typedarray_type type;
  size_t length;
  napi_get_typedarray_info(env, value, &type, &length, data, nullptr, nullptr);
  if (bytes != nullptr) {
    const bool byte = type == napi_int8_array || type == napi_uint8_array || type == napi_uint8_clamped_array;
    *bytes = length * (byte ? 1 : 4);
  }
  return true;
}

bool toArgument(napi_env env, napi_value value, char parameter, Argument* argument) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    if (parameter != 'n') argument->pointer = reinterpret_cast<void*>(static_cast<uintptr_t>(number));
    else argument->number = number;
    return true;
  }
  if (parameter != 'n') {
    if (typedArrayData(env, value, &argument->pointer)) return true;
    napi_valuetype type;
    napi_typeof(env, value, &type);
    argument->pointer = nullptr;
    return type == napi_null || type == napi_undefined;
  }
  bool flag;
  if (napi_get_value_bool(env, value, &flag) != napi_ok) return false;
  argument->number = flag;
  return true;
}

napi_value callKernel(napi_env env, napi_callback_info info) {
  napi_value values[maximalArguments];
  size_t count = maximalArguments;
  void* data;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  const auto& kernel = *static_cast<const Kernel*>(data);
  if (count != static_cast<size_t>(kernel.arity))
    return raise(env, std::string(kernel.name) + " takes " + std::to_string(kernel.arity) + " arguments, got " +
                          std::to_string(count));
  Argument arguments[maximalArguments];
  for (size_t i = 0; i < count; i++)
    if (!toArgument(env, values[i], kernel.parameters[i], &arguments[i]))
      return raise(env, std::string(kernel.name) + ": argument " + std::to_string(i) + " should be " +
                            (kernel.parameters[i] != 'n' ? "an address, a typed array or null" : "a number"));
  try {
    return toNumber(env, kernel.call(arguments));
  } catch (const Declined&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return raise(env, std::string(kernel.name) + ": out of memory");
  } catch (const std::exception& error) {
    return raise(env, std::string(kernel.name) + ": " + error.what());
  }
}

/** The arguments of a function of fixed arity. */
template <size_t Count>
struct Arguments {
  napi_value value[Count];
  Arguments(napi_env env, napi_callback_info info) {
    size_t count = Count;
    napi_get_cb_info(env, info, &count, value, nullptr, nullptr);
  }
};

double number(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result;
}
void* address(napi_env env, napi_value value) {
  return reinterpret_cast<void*>(static_cast<uintptr_t>(number(env, value)));
}

napi_value allocateBuffer(napi_env env, napi_callback_info info) {
  const Arguments<1> in(env, info);
  const double bytes = number(env, in.value[0]);
  try {
    return toNumber(env, static_cast<double>(reinterpret_cast<uintptr_t>(allocate(static_cast<size_t>(bytes)))));
  } catch (const std::bad_alloc&) {
    return raise(env, "out of memory: no " + std::to_string(static_cast<long long>(bytes / 1e6)) + " MB for a tensor");
  }
}

napi_value releaseBuffer(napi_env env, napi_callback_info info) {
  const Arguments<1> in(env, info);
  release(address(env, in.value[0]));
  return nullptr;
}

/** Calls a copy between an address and a typed array, or another address with a number of bytes. */
template <class Copy>
napi_value copyBytes(napi_env env, napi_callback_info info, Copy&& copy) {
  const Arguments<3> in(env, info);
  void* data;
  size_t bytes;
  if (!typedArrayData(env, in.value[1], &data, &bytes)) {
    data = address(env, in.value[1]);
    bytes = static_cast<size_t>(number(env, in.value[2]));
  }
  try {
    copy(address(env, in.value[0]), data, bytes);
  } catch (const std::exception& error) {
    return raise(env, error.what());
  }
  return nullptr;
}
// copyIn(buffer, typedArray), copyOut(buffer, typedArray): as many bytes as the array has; or (buffer, address, bytes).
napi_value copyIn(napi_env env, napi_callback_info info) {
  return copyBytes(env, info, [](void* buffer, void* values, size_t bytes) { copyToBuffer(buffer, values, bytes); });
}
napi_value copyOut(napi_env env, napi_callback_info info) {
  return copyBytes(env, info, [](void* buffer, void* values, size_t bytes) { copyFromBuffer(values, buffer, bytes); });
}

napi_value getSize(napi_env env, napi_callback_info info) {
  const Arguments<1> in(env, info);
  return toNumber(env, static_cast<double>(sizeOfBuffer(address(env, in.value[0]))));
}

napi_value waitForKernels(napi_env env, napi_callback_info) {
  try {
    synchronize();
  } catch (const std::exception& error) {
    return raise(env, error.what());
  }
  return nullptr;
}

napi_value getMemoryUse(napi_env env, napi_callback_info) {
  const MemoryUse use = memoryUse();
  napi_value result;
  napi_create_object(env, &result);
  const auto set = [&](const char* name, double value) {
    napi_set_named_property(env, result, name, toNumber(env, value));
  };
  set("live", use.live);
  set("cached", use.cached);
  set("peak", use.peak);
  set("fresh", use.fresh);
  set("scratch", use.scratch);
  return result;
}
napi_value resetPeak(napi_env, napi_callback_info) {
  resetPeakMemory();
  return nullptr;
}
napi_value emptyCache(napi_env, napi_callback_info) {
  releaseCache();
  return nullptr;
}

napi_value getThreads(napi_env env, napi_callback_info) { return toNumber(env, threadCount()); }
napi_value setThreads(napi_env env, napi_callback_info info) {
  const Arguments<1> in(env, info);
  setThreadCount(static_cast<int>(number(env, in.value[0])));
  return nullptr;
}

napi_value getInstructionSet(napi_env env, napi_callback_info) {
  napi_value result;
  try {
    napi_create_string_utf8(env, instructionSet(), NAPI_AUTO_LENGTH, &result);
  } catch (const std::exception& error) {
    return raise(env, error.what());
  }
  return result;
}

napi_value initialize(napi_env env, napi_value exports) {
  const auto define = [&](const char* name, napi_callback function, void* data = nullptr) {
    napi_value value;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, data, &value);
    napi_set_named_property(env, exports, name, value);
  };
  define("allocate", allocateBuffer);
  define("release", releaseBuffer);
  define("copyIn", copyIn);
  define("copyOut", copyOut);
  define("sizeOf", getSize);
  define("synchronize", waitForKernels);
  define("memoryUse", getMemoryUse);
  define("resetPeakMemory", resetPeak);
  define("releaseCache", emptyCache);
  define("threads", getThreads);
  define("setThreads", setThreads);
  define("instructionSet", getInstructionSet);
  struct Context {
    napi_env env;
    napi_value kernels;
  } context{env, nullptr};
  napi_create_object(env, &context.kernels);
  visitKernels(
      [](const Kernel& kernel, void* data) {
        const auto& [env, kernels] = *static_cast<Context*>(data);
        napi_value value;
        napi_create_function(env, kernel.name, NAPI_AUTO_LENGTH, callKernel, const_cast<Kernel*>(&kernel), &value);
        napi_value parameters;
        napi_create_string_utf8(env, kernel.parameters, NAPI_AUTO_LENGTH, &parameters);
        napi_set_named_property(env, value, "parameters", parameters);
        napi_set_named_property(env, kernels, kernel.name, value);
      },
      &context);
  napi_set_named_property(env, exports, "kernels", context.kernels);
  return exports;
}

}  // namespace
}  // namespace mm

NAPI_MODULE(mm_native, mm::initialize)
