// The emulated counterpart of gpu.cu: memory is the machine's (cc/system-memory.cc), everything runs at once.
#include "../cc/kernel.h"
#include "../cc/threads.h"
#include "launch.h"

namespace mm {
namespace cuda {

void upload(void* device, const void* host, size_t bytes) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}
void clear(void* device, size_t bytes) {
  if (bytes > 0) std::memset(device, 0, bytes);
}
/** That of an H100 or H200. */
size_t mostSharedBytes() { return 227 << 10; }

}  // namespace cuda

int usedLevel() { return levelBaseline; }
const char* instructionSet() { return "emulated"; }

/** Tests ask for 1, 2 and 3 threads and expect the same bits: here these are orders in which a block's threads run. */
static int order = 1;
int threadCount() { return order; }
void setThreadCount(int count) {
  order = count;
  emulation::setOrder(count);
}

}  // namespace mm
