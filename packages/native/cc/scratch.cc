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
struct Arena {
  std::vector<Block> blocks;
  size_t block = 0;
  size_t offset = 0;

  ~Arena() { giveBlocksBack(); }
  /** @returns bytes */
  size_t giveBlocksBack() {
    size_t total = 0;
    for (const Block& block : blocks) {
      total += block.size;
      giveToSystem(block.data);
    }
    blocks.clear();
    noteScratch(-static_cast<int64_t>(total));
    return total;
  }
};

/** Each thread has its own. */
thread_local Arena arena;

constexpr size_t smallestBlock = 2 << 20;

void addBlock(size_t bytes) {
  arena.blocks.push_back({static_cast<char*>(takeFromSystem(bytes)), bytes});
  noteScratch(static_cast<int64_t>(bytes));
}

}  // namespace

Scratch::Scratch(int) : block_(arena.block), offset_(arena.offset) {}

Scratch::~Scratch() {
  arena.block = block_;
  arena.offset = offset_;
  if (block_ == 0 && offset_ == 0 && arena.blocks.size() > 1) addBlock(arena.giveBlocksBack());
}

void* Scratch::takeBytes(size_t bytes) {
  Arena& a = arena;
  // One line apart, so that neighbours never share a cache line nor a store-forwarding alias of 4 KiB.
  bytes = (bytes + alignment - 1) / alignment * alignment + alignment;
  while (a.block < a.blocks.size() && a.offset + bytes > a.blocks[a.block].size) {
    a.block++;
    a.offset = 0;
  }
  if (a.block == a.blocks.size()) {
    addBlock(std::max(smallestBlock, bytes));
    a.offset = 0;
  }
  void* taken = a.blocks[a.block].data + a.offset;
  a.offset += bytes;
  return taken;
}

}  // namespace mm
