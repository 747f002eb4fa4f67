// Sharing of elementwise work among the threads. The loops over single elements come as functions, compiled for each
// instruction set; what surrounds them is compiled once.
#pragma once
#include <cstddef>
#include <cstdint>

namespace mm {

/** out[i] = f(x[i]; p, q) for a stretch of elements. */
using MapSpan = void (*)(const void* x, void* out, int64_t count, float p, float q);
void mapSpans(MapSpan span, const void* x, size_t xBytes, void* out, size_t outBytes, int64_t count, float p = 0,
              float q = 0);

/** out[i] = f(a[i], b[i]) for a stretch of elements. */
using CombineSpan = void (*)(const void* a, const void* b, void* out, int64_t count);
/**
 * out[…] = f(a[…], b[…]) with broadcasting. `layout` holds `rank` numbers each: the output's shape, then the strides of a,
 * then of b (0 where an operand is repeated). The innermost strides are 0 or 1: src/kernels/stock/layout.ts merges axes.
 */
void combineSpans(CombineSpan span, const void* a, const void* b, size_t inBytes, void* out, size_t outBytes,
                  const int32_t* layout, int64_t rank);

/** out[inner] = combination of x[rows][inner] over the rows. */
using ReduceSpan = void (*)(const void* x, int64_t rows, int64_t inner, void* out);
/**
 * out[outer][inner] = combination of x[outer][length][inner] over its middle axis. Long ones are cut into pieces by the
 * shape alone, and the pieces combined in order: the bits do not depend on the number of threads.
 */
void reduceSpans(ReduceSpan span, const void* x, void* out, size_t bytes, int64_t outer, int64_t length, int64_t inner);

}  // namespace mm
