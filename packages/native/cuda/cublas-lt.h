// cuBLASLt, loaded when the first product asks for it: the addon starts without it, and multiplies with its own kernel then.
#pragma once
#include <string>

#include "gemm.h"

namespace mm::cuda {

/** Does the product if the library is there and the matrices suit it (contiguous rows or columns, large enough). */
bool multiplyWithLibrary(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride,
                         const GemmOptions& options);

/** The library that was loaded, or why none was and where it was looked for. */
const std::string& libraryInUse();

}  // namespace mm::cuda
