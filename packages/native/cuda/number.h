// The words of the CPU's vectors for one number, so that the same lines serve both: cc/stock/unary-list.h, binary-list.h,
// cc/fused/weighted-mean-step.h.
#pragma once
#include <cmath>

#include "device.h"

#define MM_INLINE MM_DEVICE

namespace mm::cuda::number {

using Floats = float;
using Ints = int;
MM_DEVICE float splat(float x) { return x; }
MM_DEVICE float abs(float x) { return fabsf(x); }
MM_DEVICE float sqrt(float x) { return sqrtf(x); }
MM_DEVICE float exp(float x) { return expf(x); }
MM_DEVICE float log(float x) { return logf(x); }
MM_DEVICE float tanh(float x) { return tanhf(x); }
MM_DEVICE float sigmoid(float x) { return 1 / (1 + expf(-x)); }

}  // namespace mm::cuda::number
