// Where tensor buffers come from: the machine's memory (system-memory.cc) or that of a GPU (cuda/device-memory.cu).
#pragma once
#include <cstddef>

namespace mm {

/** Memory of at least `bytes`, not cleared. Throws std::bad_alloc. */
void* takeFromSystem(size_t bytes);
void giveToSystem(void* memory);

/** Copies between a tensor buffer and memory of the process; when they return, the bytes are there. */
void copyToBuffer(void* buffer, const void* values, size_t bytes);
void copyFromBuffer(void* values, const void* buffer, size_t bytes);

/** Waits until every kernel called so far has run; throws std::runtime_error if one has failed. */
void synchronize();

}  // namespace mm
