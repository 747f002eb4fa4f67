// Elementwise kernels of one operand (cc/stock/unary-list.h), casts, fills and selections.
#include "../../cc/kernel.h"
#include "../launch.h"
#include "../number.h"

namespace mm::cuda {

template <class Function, class In, class Out>
__global__ void mapKernel(const In* x, Out* out, int64_t count, float p, float q) {
  forThread(count, [&](int64_t i) { out[i] = Function()(x[i], p, q); });
}

namespace number {

#define MAP(name, In, Out, result)                                                                       \
  struct name##Function {                                                                                \
    MM_DEVICE Out operator()(In x, [[maybe_unused]] float p, [[maybe_unused]] float q) const { return result; } \
  };
#define NUMBER(name, In, Out, result)                                                                    \
  MAP(name, In, Out, result)                                                                             \
  static void name(const In* x, Out* out, int64_t count) {                                               \
    launch(mapKernel<name##Function, In, Out>, blocksFor(count), dim3(blockThreads), 0, x, out, count, 0.f, 0.f); \
  }                                                                                                      \
  MM_KERNEL(name)
#define VECTOR(name, result) NUMBER(name, float, float, result)
#define WITH_PARAMETERS(name, result)                                                                    \
  MAP(name, float, float, result)                                                                        \
  static void name(const float* x, float* out, int64_t count, float p, float q) {                        \
    launch(mapKernel<name##Function, float, float>, blocksFor(count), dim3(blockThreads), 0, x, out, count, p, q); \
  }                                                                                                      \
  MM_KERNEL(name)
#include "../../cc/stock/unary-list.h"

}  // namespace number

template <class T>
__global__ void fillKernel(T* out, int64_t count, T value) {
  forThread(count, [&](int64_t i) { out[i] = value; });
}
template <class T>
static void fill(T* out, int64_t count, T value) {
  launch(fillKernel<T>, blocksFor(count), dim3(blockThreads), 0, out, count, value);
}
static void fillFloat(float* out, int64_t count, float value) { fill(out, count, value); }
MM_KERNEL(fillFloat)
static void fillInt(int32_t* out, int64_t count, int64_t value) { fill(out, count, static_cast<int32_t>(value)); }
MM_KERNEL(fillInt)
static void fillBool(uint8_t* out, int64_t count, bool value) { fill(out, count, static_cast<uint8_t>(value)); }
MM_KERNEL(fillBool)

template <class T>
__global__ void selectKernel(const uint8_t* condition, const T* a, const T* b, T* out, int64_t count, int64_t repeat) {
  forThread(count, [&](int64_t i) { out[i] = condition[i / repeat] ? a[i] : b[i]; });
}
/** out[i] = condition[i / repeat] ? a[i] : b[i] */
static void selectWords(const uint8_t* condition, const int32_t* a, const int32_t* b, int32_t* out, int64_t count,
                        int64_t repeat) {
  launch(selectKernel<int32_t>, blocksFor(count), dim3(blockThreads), 0, condition, a, b, out, count, repeat);
}
MM_KERNEL(selectWords)
static void selectBytes(const uint8_t* condition, const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t count,
                        int64_t repeat) {
  launch(selectKernel<uint8_t>, blocksFor(count), dim3(blockThreads), 0, condition, a, b, out, count, repeat);
}
MM_KERNEL(selectBytes)

__global__ void scaleByNumberKernel(const float* x, const float* factor, float* y, int64_t count) {
  const float by = *factor;
  forThread(count, [&](int64_t i) { y[i] = x[i] * by; });
}
/** y = factor · x, the factor in memory (the gradient of the loss). */
static void scaleByNumber(const float* x, const float* factor, float* y, int64_t count) {
  launch(scaleByNumberKernel, blocksFor(count), dim3(blockThreads), 0, x, factor, y, count);
}
MM_KERNEL(scaleByNumber)

}  // namespace mm::cuda
