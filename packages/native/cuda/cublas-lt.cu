#include "cublas-lt.h"

#include "launch.h"

#ifndef __CUDACC__
namespace mm::cuda {

bool multiplyWithLibrary(int64_t, int64_t, int64_t, Matrix, Matrix, float*, int64_t, const GemmOptions&) { return false; }
const std::string& libraryInUse() {
  static const std::string none = "cuBLASLt is not part of the emulation";
  return none;
}

}  // namespace mm::cuda
#else
#include <dlfcn.h>

#include <map>
#include <tuple>

namespace mm::cuda {
namespace {

// ---- the part of cuBLASLt's interface that is used (cublasLt.h of CUDA 12 and 13) ---------------------------------------

using Handle = void*;
using Description = void*;
using Layout = void*;
using Preference = void*;
struct Algorithm {
  uint64_t data[8];
};
struct Candidate {
  Algorithm algorithm;
  size_t workspaceBytes;
  int status;
  float waves;
  int reserved[4];
};
constexpr int compute32F = 68, real32F = 0, realBf16 = 14;
constexpr int descriptionTransposeA = 3, descriptionTransposeB = 4, descriptionEpilogue = 7, descriptionBias = 8;
constexpr int epilogueBias = 4, preferenceWorkspace = 1;
constexpr int preferenceAlignments[] = {5, 6, 7, 8};  // of A, B, C and D, in bytes

constexpr const char* libraryNames[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"};
constexpr size_t workspaceBytes = 32 << 20;
/** What the matrices are aligned to: parts of tensors begin anywhere, and the library assumes 256 bytes unless told. */
constexpr uint32_t alignmentBytes = 16;
/** Below so many operations a call of the library costs more than it gains. */
constexpr int64_t worthwhile = 1 << 18;

class Library {
 public:
  static Library& instance() {
    static auto* only = new Library;
    return *only;
  }
  bool isLoaded() const { return handle_ != nullptr; }
  const std::string& description() const { return description_; }

  /** D = alpha·op(A)·op(B) + beta·D, all column by column; false where the library knows no way. */
  bool multiply(int64_t m, int64_t n, int64_t k, const void* a, int64_t aLead, bool aTransposed, const void* b,
                int64_t bLead, bool bTransposed, float* d, int64_t dLead, const GemmOptions& options) {
    const Plan& plan = planFor({m, n, k, aLead, bLead, dLead, aTransposed, bTransposed, options.bf16,
                                options.rowVector != nullptr, options.accumulate});
    if (!plan.usable) return false;
    if (options.rowVector != nullptr)
      setAttribute_(plan.description, descriptionBias, &options.rowVector, sizeof options.rowVector);
    DeviceScratch<char> workspace(workspaceBytes);
    const float beta = options.accumulate ? 1 : 0;
    const int status = multiply_(handle_, plan.description, &options.alpha, a, plan.a, b, plan.b, &beta, d, plan.d, d, plan.d,
                                 &plan.algorithm, workspace, workspaceBytes, stream());
    return status == 0;
  }

 private:
  using Key = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool, bool, bool, bool, bool>;
  struct Plan {
    Description description;
    Layout a, b, d;
    Algorithm algorithm;
    bool usable;
  };

  Library() {
    for (const char* name : libraryNames) {
      library_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (library_ == nullptr) continue;
      description_ = name;
      break;
    }
    if (library_ == nullptr) {
      description_ = "no libcublasLt.so.13 or .12 in the loader's path (LD_LIBRARY_PATH, ldconfig): products run on mm's own kernel";
      return;
    }
    int (*create)(Handle*);
    const bool complete = find(create, "cublasLtCreate") && find(multiply_, "cublasLtMatmul") &&
                          find(createDescription_, "cublasLtMatmulDescCreate") &&
                          find(setAttribute_, "cublasLtMatmulDescSetAttribute") &&
                          find(createLayout_, "cublasLtMatrixLayoutCreate") &&
                          find(createPreference_, "cublasLtMatmulPreferenceCreate") &&
                          find(setPreference_, "cublasLtMatmulPreferenceSetAttribute") &&
                          find(choose_, "cublasLtMatmulAlgoGetHeuristic");
    if (complete && create(&handle_) == 0) return;
    handle_ = nullptr;
    description_ += " does not start: products run on mm's own kernel";
  }
  template <class Function>
  bool find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(library_, name));
    return function != nullptr;
  }

  const Plan& planFor(const Key& key) {
    const auto known = plans_.find(key);
    if (known != plans_.end()) return known->second;
    const auto& [m, n, k, aLead, bLead, dLead, aTransposed, bTransposed, bf16, hasBias, accumulates] = key;
    Plan plan{};
    const int type = bf16 ? realBf16 : real32F, transposeA = aTransposed, transposeB = bTransposed;
    Preference preference;
    Candidate candidate{};
    int found = 0;
    plan.usable = createDescription_(&plan.description, compute32F, real32F) == 0 &&
                  setAttribute_(plan.description, descriptionTransposeA, &transposeA, sizeof transposeA) == 0 &&
                  setAttribute_(plan.description, descriptionTransposeB, &transposeB, sizeof transposeB) == 0 &&
                  createLayout_(&plan.a, type, aTransposed ? k : m, aTransposed ? m : k, aLead) == 0 &&
                  createLayout_(&plan.b, type, bTransposed ? n : k, bTransposed ? k : n, bLead) == 0 &&
                  createLayout_(&plan.d, real32F, m, n, dLead) == 0;
    if (plan.usable && hasBias) {
      const int epilogue = epilogueBias;
      plan.usable = setAttribute_(plan.description, descriptionEpilogue, &epilogue, sizeof epilogue) == 0;
    }
    plan.usable = plan.usable && createPreference_(&preference) == 0 &&
                  setPreference_(preference, preferenceWorkspace, &workspaceBytes, sizeof workspaceBytes) == 0;
    for (const int attribute : preferenceAlignments)
      plan.usable = plan.usable && setPreference_(preference, attribute, &alignmentBytes, sizeof alignmentBytes) == 0;
    plan.usable = plan.usable &&
                  choose_(handle_, plan.description, plan.a, plan.b, plan.d, plan.d, preference, 1, &candidate, &found) == 0 &&
                  found > 0 && candidate.status == 0;
    plan.algorithm = candidate.algorithm;
    return plans_.emplace(key, plan).first->second;
  }

  void* library_ = nullptr;
  Handle handle_ = nullptr;
  std::string description_;
  std::map<Key, Plan> plans_;
  int (*multiply_)(Handle, Description, const void*, const void*, Layout, const void*, Layout, const void*, const void*, Layout,
                   void*, Layout, const Algorithm*, void*, size_t, cudaStream_t);
  int (*createDescription_)(Description*, int, int);
  int (*setAttribute_)(Description, int, const void*, size_t);
  int (*createLayout_)(Layout*, int, uint64_t, uint64_t, int64_t);
  int (*createPreference_)(Preference*);
  int (*setPreference_)(Preference, int, const void*, size_t);
  int (*choose_)(Handle, Description, Layout, Layout, Layout, Layout, Preference, int, Candidate*, int*);
};

bool isAligned(const void* address) { return reinterpret_cast<uintptr_t>(address) % alignmentBytes == 0; }

/** Whether a matrix lies contiguous along one of its axes, as the library wants; `lead` is the other one's stride. */
bool isRegular(const Matrix& matrix, bool& alongRows, int64_t& lead) {
  alongRows = matrix.columnStride == 1;
  lead = alongRows ? matrix.rowStride : matrix.columnStride;
  return alongRows || matrix.rowStride == 1;
}

__global__ void toBf16(const float* from, uint32_t* to, int64_t pairs) {
  forThread(pairs, [&](int64_t i) { to[i] = pairBf16(from[2 * i], from[2 * i + 1]); });
}

}  // namespace

bool multiplyWithLibrary(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride,
                         const GemmOptions& options) {
  if (m * n * k < worthwhile || !Library::instance().isLoaded()) return false;
  bool aRows, bRows;
  int64_t aLead, bLead;
  if (!isRegular(a, aRows, aLead) || !isRegular(b, bRows, bLead)) return false;
  constexpr int64_t numbers = alignmentBytes / sizeof(float);
  const bool isWhole = aLead % numbers == 0 && bLead % numbers == 0 && cStride % numbers == 0;
  if (!isWhole || !isAligned(a.data) || !isAligned(b.data) || !isAligned(c) || !isAligned(options.rowVector)) return false;
  // The library thinks in columns: what is C row by row is Cᵀ column by column, and Cᵀ = Bᵀ·Aᵀ.
  auto& library = Library::instance();
  if (!options.bf16)
    return library.multiply(n, m, k, b.data, bLead, !bRows, a.data, aLead, !aRows, c, cStride, options);
  // Its bf16 products read bf16: rounded copies, of matrices without gaps whose rows it can read in whole vectors.
  const int64_t aNumbers = m * k, bNumbers = k * n;
  const bool hasNoGaps = aLead == (aRows ? k : m) && bLead == (bRows ? n : k);
  if (!hasNoGaps || aLead % 8 != 0 || bLead % 8 != 0) return false;
  DeviceScratch<uint32_t> aRounded(aNumbers / 2), bRounded(bNumbers / 2);
  launch(toBf16, blocksFor(aNumbers / 2), dim3(blockThreads), 0, a.data, aRounded, aNumbers / 2);
  launch(toBf16, blocksFor(bNumbers / 2), dim3(blockThreads), 0, b.data, bRounded, bNumbers / 2);
  return library.multiply(n, m, k, bRounded, bLead, !bRows, aRounded, aLead, !aRows, c, cStride, options);
}

const std::string& libraryInUse() { return Library::instance().description(); }

}  // namespace mm::cuda
#endif
