// The GPU itself: its one stream, its memory, and what it is. The emulated counterpart is emulated.cc.
#include <mutex>
#include <new>

#include "../cc/kernel.h"
#include "../cc/system-memory.h"
#include "../cc/threads.h"
#include "cublas-lt.h"
#include "launch.h"

namespace mm {
namespace cuda {

Stream stream() {
  static const Stream only = [] {
    Stream created;
    check(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking), "creating a stream");
    return created;
  }();
  return only;
}

void upload(void* device, const void* host, size_t bytes) {
  // From memory that is not pinned CUDA takes its own copy before it returns.
  if (bytes > 0) check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream()), "copying to the GPU");
}
void clear(void* device, size_t bytes) {
  if (bytes > 0) check(cudaMemsetAsync(device, 0, bytes, stream()), "clearing memory");
}

static const cudaDeviceProp& properties() {
  static const cudaDeviceProp found = [] {
    int device;
    cudaDeviceProp properties;
    check(cudaGetDevice(&device), "looking for a GPU");
    check(cudaGetDeviceProperties(&properties, device), "asking what the GPU is");
    return properties;
  }();
  return found;
}

size_t mostSharedBytes() { return properties().sharedMemPerBlockOptin; }

}  // namespace cuda

void* takeFromSystem(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // forgets it: the caller frees something and tries again
    throw std::bad_alloc();
  }
  cuda::check(status, "taking memory");
  return memory;
}
void giveToSystem(void* memory) { cudaFree(memory); }

void copyToBuffer(void* buffer, const void* values, size_t bytes) { cuda::upload(buffer, values, bytes); }
void copyFromBuffer(void* values, const void* buffer, size_t bytes) {
  if (bytes == 0) return;
  cuda::check(cudaMemcpyAsync(values, buffer, bytes, cudaMemcpyDeviceToHost, cuda::stream()), "copying from the GPU");
  synchronize();
}
void synchronize() { cuda::check(cudaStreamSynchronize(cuda::stream()), "running kernels"); }

int usedLevel() { return levelBaseline; }
/** GPU, driver and library, as "NVIDIA H200, sm_90, driver 13.0, libcublasLt.so.13". Throws std::runtime_error without a GPU. */
const char* instructionSet() {
  static const std::string name = [] {
    const cudaDeviceProp& gpu = cuda::properties();
    int driver = 0;
    cudaDriverGetVersion(&driver);
    return std::string(gpu.name) + ", sm_" + std::to_string(gpu.major) + std::to_string(gpu.minor) + ", driver " +
           std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10) + ", " + cuda::libraryInUse();
  }();
  return name.c_str();
}

// The host only starts kernels: it needs no threads of its own.
int threadCount() { return 1; }
void setThreadCount(int) {}

}  // namespace mm
