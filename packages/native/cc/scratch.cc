#include <algorithm>
#include <vector>

#include "memory.h"
#include "system-memory.h"

namespace mm {
namespace {

struct Block {
  char* data;
  size_t size;
};
/** Blocks that never move; when all are free again and there are several, one block of their total size replaces them. */
struct alignas(128) Arena {
  std::vector<Block> blocks;
  size_t block = 0;
  size_t offset = 0;
};

constexpr int maximalThreads = 1024;
constexpr size_t smallestBlock = 2 << 20;

Arena& arena(int thread) {
  static auto* arenas = new Arena[maximalThreads];
  return arenas[thread];
}

void addBlock(Arena& arena, size_t bytes) {
  arena.blocks.push_back({static_cast<char*>(takeFromSystem(bytes)), bytes});
  noteScratch(static_cast<int64_t>(bytes));
}

}  // namespace

Scratch::Scratch(int thread) : thread_(thread), block_(arena(thread).block), offset_(arena(thread).offset) {}

Scratch::~Scratch() {
  Arena& a = arena(thread_);
  a.block = block_;
  a.offset = offset_;
  if (block_ == 0 && offset_ == 0 && a.blocks.size() > 1) {
    size_t total = 0;
    for (const Block& block : a.blocks) {
      total += block.size;
      giveToSystem(block.data);
    }
    a.blocks.clear();
    noteScratch(-static_cast<int64_t>(total));
    addBlock(a, total);
  }
}

void* Scratch::takeBytes(size_t bytes) {
  Arena& a = arena(thread_);
  // One line apart, so that neighbours never share a cache line nor a store-forwarding alias of 4 KiB.
  bytes = (bytes + alignment - 1) / alignment * alignment + alignment;
  while (a.block < a.blocks.size() && a.offset + bytes > a.blocks[a.block].size) {
    a.block++;
    a.offset = 0;
  }
  if (a.block == a.blocks.size()) {
    addBlock(a, std::max(smallestBlock, bytes));
    a.offset = 0;
  }
  void* taken = a.blocks[a.block].data + a.offset;
  a.offset += bytes;
  return taken;
}

}  // namespace mm
