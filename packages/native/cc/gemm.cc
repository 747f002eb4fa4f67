#include "gemm.h"

#include <algorithm>

#include "memory.h"
#include "packing.h"
#include "threads.h"

namespace mm::MM_ISA {
namespace {

// Most elements of k (steps) per pass: a task's part of A (taskRows × depthBlock) and a panel of B (depthBlock ×
// tileColumns) stay in the second-level cache, with narrower vectors the latter in the first.
constexpr int64_t depthBlock = lanes == 16 ? 768 : 384;
constexpr int64_t taskRows = 168 / tileRows * tileRows;
constexpr int64_t taskColumns = 512;
// Rows and columns of C whose operands are packed at a time; they share the last-level cache.
constexpr int64_t blockRows = 2048 / tileRows * tileRows;
constexpr int64_t blockColumns = 2048;
/** Panels of an operand that one thread packs at a time. */
constexpr int64_t panelsTogether = 8;

/**
 * Steps from one packed row of A to the next, where its numbers lie along k: rows are then copied as they are. Where they lie
 * along the rows, A is packed in panels instead, and this is 1. A constant, so that a tile needs one pointer for all rows;
 * not a multiple of the cache's sets.
 */
constexpr int shortSteps = 64, shortRow = shortSteps + 16, longRow = depthBlock + 16, inPanels = 1;

/** Up to this many rows, packing B would cost more than it gains. */
constexpr int64_t fewRows = 2 * tileRows;

constexpr int64_t roundUp(int64_t x, int64_t unit) { return (x + unit - 1) / unit * unit; }

/** Values of k per pass. Every pass reads and writes all of C, so they are few and of nearly equal length. */
template <bool Paired>
int64_t passDepth(int64_t k) {
  const int64_t most = depthBlock * stepDepth<Paired>;
  const int64_t passes = std::max<int64_t>(1, (k + most - 1) / most);
  return roundUp((k + passes - 1) / passes, stepDepth<Paired>);
}

/** The threads that work on one product: all of the pool, or one. */
struct Everyone {
  int thread;
  int size() const { return threadCount(); }
  int rank() const { return thread; }
  void barrier() const { threadBarrier(); }
};
struct Alone {
  int size() const { return 1; }
  int rank() const { return 0; }
  void barrier() const {}
};

/** One product, with what its threads share. */
struct Product {
  int64_t m, n, k;
  Matrix a, b;
  float* c;
  int64_t cStride;
  GemmOptions options;
  float* packedA;
  float* packedB;
  std::atomic<int64_t> nextTask{0};
};

/** What becomes of a tile's sums: C = alpha·sum (+ C) (+ row vector). */
struct Destination {
  float* c;
  int64_t cStride;
  int64_t rows, columns;  // that exist, of the tile
  float alpha;
  bool accumulate;
  const float* rowVector;  // at the tile's first column, or null
};

/** The general end of a tile, from sums [rows][tileColumns] in memory. */
__attribute__((noinline)) void finishTile(const float* sums, const Destination& to) {
  for (int64_t i = 0; i < to.rows; i++)
    for (int64_t j = 0; j < to.columns; j += lanes) {
      float* p = to.c + i * to.cStride + j;
      Floats v = to.alpha * load(sums + i * tileColumns + j);
      if (to.accumulate) v += loadFirst(p, to.columns - j);
      if (to.rowVector) v += loadFirst(to.rowVector + j, to.columns - j);
      storeFirst(p, v, to.columns - j);
    }
}

/** One tile; a whole tile without a row vector, the usual one, is finished in registers. */
template <int Rows, bool Paired, int RowStride>
__attribute__((noinline)) void computeTile(int64_t steps, const float* a, const float* b, int64_t bStep,
                                           const Destination& to) {
  // The rows of C lie far apart: they are fetched while the sums are made.
  for (int64_t i = 0; i < to.rows; i++) {
    __builtin_prefetch(to.c + i * to.cStride, 1);
    __builtin_prefetch(to.c + i * to.cStride + to.columns - 1, 1);
  }
  Floats sums[Rows][tileVectors] = {};
  multiplyTile<Rows, tileVectors, Paired, RowStride>(steps, a, RowStride == inPanels ? tileRows : 1, b, bStep, sums);
  if (to.rows < Rows || to.columns < tileColumns || to.rowVector) {
    float memory[Rows * tileColumns];
    MM_UNROLL for (int i = 0; i < Rows; i++) {
      MM_UNROLL for (int j = 0; j < tileVectors; j++) store(memory + i * tileColumns + j * lanes, sums[i][j]);
    }
    return finishTile(memory, to);
  }
  float* c = to.c;
  const Floats factor = splat(to.alpha);
  if (to.accumulate) {
    MM_UNROLL for (int i = 0; i < Rows; i++, c += to.cStride) {
      MM_UNROLL for (int j = 0; j < tileVectors; j++) store(c + j * lanes, factor * sums[i][j] + load(c + j * lanes));
    }
  } else {
    MM_UNROLL for (int i = 0; i < Rows; i++, c += to.cStride) {
      MM_UNROLL for (int j = 0; j < tileVectors; j++) store(c + j * lanes, factor * sums[i][j]);
    }
  }
}

/** Tile functions for even numbers of rows, to spare code: the sums of a row too many are not stored. */
template <bool Paired, int RowStride>
void computeTile(int rows, int64_t steps, const float* a, const float* b, int64_t bStep, const Destination& to) {
  withRows<tileRows / 2>((rows + 1) / 2,
                         [&]<int Half>() { computeTile<2 * Half, Paired, RowStride>(steps, a, b, bStep, to); });
}

/** Rows of `depth` numbers along memory, in steps, RowStride apart. */
template <bool Paired, int RowStride>
void copyRows(float* __restrict packed, const float* __restrict source, int64_t sourceStride, int64_t rows, int64_t depth,
              bool bf16) {
  constexpr int per = stepDepth<Paired>;
  for (int64_t row = 0; row < rows; row++, packed += RowStride, source += sourceStride)
    for (int64_t k = 0; k < depth; k += per * lanes) {
      Floats v = loadFirst(source + k, depth - k);
      if constexpr (Paired) v = narrowToBf16(v, loadFirst(source + k + lanes, depth - k - lanes));
      else if (bf16) v = roundToBf16(v);
      store(packed + k / per, v);
    }
}

template <bool Paired, int RowStride>
class Multiplication {
 public:
  explicit Multiplication(Product& product)
      : p_(product), direct_(!p_.options.bf16 && p_.m <= fewRows && p_.b.columnStride == 1) {}

  /** Runs on each thread of the team. */
  template <class Team>
  void run(const Team& team) {
    const int64_t depthPerPass = passDepth<Paired>(p_.k);
    for (int64_t column = 0; column < p_.n; column += blockColumns) {
      const int64_t columns = std::min(blockColumns, p_.n - column);
      for (int64_t depth = 0; depth < p_.k; depth += depthPerPass) {
        const int64_t deep = std::min(depthPerPass, p_.k - depth);
        packColumns(team, column, columns, depth, deep);
        for (int64_t row = 0; row < p_.m; row += blockRows) {
          const int64_t rows = std::min(blockRows, p_.m - row);
          // Where one pass takes all of A, it stays packed for all columns.
          if (column == 0 || rows < p_.m || deep < p_.k) packRows(team, row, rows, depth, deep);
          if (team.rank() == 0) p_.nextTask.store(0, std::memory_order_relaxed);
          team.barrier();
          computeBlock(team, row, rows, column, columns, depth, deep);
          team.barrier();
        }
      }
    }
  }

 private:
  /** Calls pack(begin, end) for this thread's share of `count` rows of an operand, in whole panels. */
  template <class Team, class Pack>
  static void sharePanels(const Team& team, int64_t count, int64_t width, const Pack& pack) {
    const int64_t panels = (count + width - 1) / width;
    const int64_t grain = std::clamp<int64_t>(panels / team.size(), 1, panelsTogether) * width;
    for (int64_t begin = team.rank() * grain; begin < count; begin += team.size() * grain)
      pack(begin, std::min(count, begin + grain));
  }

  template <class Team>
  void packRows(const Team& team, int64_t row, int64_t rows, int64_t depth, int64_t deep) {
    sharePanels(team, rows, tileRows, [&](int64_t begin, int64_t end) {
      const float* source = p_.a.data + (row + begin) * p_.a.rowStride + depth * p_.a.columnStride;
      if constexpr (RowStride == inPanels) {
        packPanels<tileRows, Paired>(packedRow(begin, deep), source, p_.a.rowStride, p_.a.columnStride, end - begin, deep,
                                     p_.options.bf16);
      } else {
        copyRows<Paired, RowStride>(packedRow(begin, deep), source, p_.a.rowStride, end - begin, deep, p_.options.bf16);
      }
    });
  }

  float* packedRow(int64_t row, int64_t deep) const {
    return p_.packedA + row * (RowStride == inPanels ? stepCount<Paired>(deep) : RowStride);
  }

  template <class Team>
  void packColumns(const Team& team, int64_t column, int64_t columns, int64_t depth, int64_t deep) {
    const int64_t unpacked = direct_ ? columns / tileColumns * tileColumns : 0;
    sharePanels(team, columns - unpacked, tileColumns, [&](int64_t begin, int64_t end) {
      begin += unpacked;
      end += unpacked;
      packPanels<tileColumns, Paired>(p_.packedB + begin * stepCount<Paired>(deep),
                                      p_.b.data + depth * p_.b.rowStride + (column + begin) * p_.b.columnStride,
                                      p_.b.columnStride, p_.b.rowStride, end - begin, deep, p_.options.bf16);
    });
  }

  template <class Team>
  void computeBlock(const Team& team, int64_t row, int64_t rows, int64_t column, int64_t columns, int64_t depth,
                    int64_t deep) {
    // Enough tasks to keep every thread busy to the end; their size changes no sum.
    int64_t high = taskRows, broad = taskColumns;
    const auto tasks = [&] { return ((rows + high - 1) / high) * ((columns + broad - 1) / broad); };
    while (team.size() > 1 && tasks() < 4 * team.size()) {
      if (broad > 2 * tileColumns) broad = roundUp(broad / 2, tileColumns);
      else if (high > 2 * tileRows) high = roundUp(high / 2, tileRows);
      else break;
    }
    const int64_t across = (columns + broad - 1) / broad;
    for (int64_t task; (task = p_.nextTask.fetch_add(1, std::memory_order_relaxed)) < tasks();) {
      const int64_t i0 = task / across * high, i1 = std::min(rows, i0 + high);
      const int64_t j0 = task % across * broad, j1 = std::min(columns, j0 + broad);
      for (int64_t j = j0; j < j1; j += tileColumns)
        for (int64_t i = i0; i < i1; i += tileRows) tile(row, i, i1 - i, column, j, j1 - j, depth, deep);
    }
  }

  /** The tile at row + i, column + j, for the values of k from `depth` on. */
  void tile(int64_t row, int64_t i, int64_t rows, int64_t column, int64_t j, int64_t columns, int64_t depth, int64_t deep) {
    const int64_t steps = stepCount<Paired>(deep);
    const bool direct = direct_ && columns >= tileColumns;
    const float* b = direct ? p_.b.data + depth * p_.b.rowStride + column + j : p_.packedB + j * steps;
    const int64_t bStep = direct ? p_.b.rowStride : tileColumns;
    const bool last = depth + deep == p_.k;
    const float* rowVector = last && p_.options.rowVector ? p_.options.rowVector + column + j : nullptr;
    const Destination to{p_.c + (row + i) * p_.cStride + column + j,
                         p_.cStride,
                         std::min<int64_t>(rows, tileRows),
                         std::min<int64_t>(columns, tileColumns),
                         p_.options.alpha,
                         p_.options.accumulate || depth > 0,
                         rowVector};
    computeTile<Paired, RowStride>(static_cast<int>(to.rows), steps, packedRow(i, deep), b, bStep, to);
  }

  Product& p_;
  const bool direct_;  // read B where it lies
};

/** Runs the product on the calling thread, or as thread 0 of all. */
void multiply(int thread, bool together, Product& product) {
  Scratch scratch(thread);
  product.packedA = scratch.floats(std::min(roundUp(product.m, tileRows), blockRows) * longRow);
  product.packedB = scratch.floats(std::min(roundUp(product.n, tileColumns), blockColumns) * depthBlock);
  const auto run = [&]<bool Paired, int RowStride>() {
    using Runs = Multiplication<Paired, RowStride>;
    Runs multiplication(product);
    if (!together) return multiplication.run(Alone{});
    runOnThreads([](void* context, int thread) { static_cast<Runs*>(context)->run(Everyone{thread}); }, &multiplication);
  };
  const auto runInSteps = [&]<bool Paired>() {
    if (product.a.columnStride != 1 || product.a.rowStride == 1) run.template operator()<Paired, inPanels>();
    else if (stepCount<Paired>(passDepth<Paired>(product.k)) <= shortSteps) run.template operator()<Paired, shortRow>();
    else run.template operator()<Paired, longRow>();
  };
  if (pairedBf16 && product.options.bf16) runInSteps.template operator()<pairedBf16>();
  else runInSteps.template operator()<false>();
}

// ---- small C, long sums: pieces of k, each summed on its own ---------------------------------------------------------

constexpr int64_t pieceDepth = 2 * depthBlock;

/** Pieces that the sums are cut into: 1 unless C is small and k long. A function of the shape alone. */
int64_t pieceCount(int64_t m, int64_t n, int64_t k) {
  if (m * n > 1 << 16 || k < 4 * pieceDepth || k < 4 * std::max(m, n)) return 1;
  return std::min<int64_t>(32, k / pieceDepth);
}

/** partial[piece][m][n] = product over the piece's share of k. */
void multiplyPiece(int thread, int64_t piece, int64_t pieces, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b,
                   float* partial, bool bf16) {
  const int64_t share = roundUp((k + pieces - 1) / pieces, 2);
  const int64_t begin = std::min(k, piece * share), end = std::min(k, begin + share);
  a.data += begin * a.columnStride;
  b.data += begin * b.rowStride;
  Product product{m, n, end - begin, a, b, partial + piece * m * n, n, {.bf16 = bf16}, nullptr, nullptr};
  multiply(thread, false, product);
}

/** Rows of C from the partial sums, added in the order of the pieces. */
void addPieces(int64_t begin, int64_t end, int64_t m, int64_t n, int64_t pieces, const float* partial, float* c,
               int64_t cStride, const GemmOptions& options) {
  for (int64_t i = begin; i < end; i++)
    for (int64_t j = 0; j < n; j += lanes) {
      Floats total = loadFirst(partial + i * n + j, n - j);
      for (int64_t piece = 1; piece < pieces; piece++) total += loadFirst(partial + (piece * m + i) * n + j, n - j);
      total *= options.alpha;
      if (options.accumulate) total += loadFirst(c + i * cStride + j, n - j);
      if (options.rowVector) total += loadFirst(options.rowVector + j, n - j);
      storeFirst(c + i * cStride + j, total, n - j);
    }
}

/** An empty sum: C = (C) (+ row vector). */
void multiplyNothing(int64_t m, int64_t n, float* c, int64_t cStride, const GemmOptions& options) {
  addPieces(0, options.accumulate && !options.rowVector ? 0 : m, m, n, 1, nullptr, c, cStride, options);
}

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride, const GemmOptions& options) {
  const int64_t pieces = pieceCount(m, n, k);
  // Waking the threads costs some microseconds; a product of that size is done alone.
  if (threadCount() == 1 || (pieces == 1 && m * n * k < 1 << 17)) return gemmOnThread(0, m, n, k, a, b, c, cStride, options);
  if (pieces == 1) {
    Product product{m, n, k, a, b, c, cStride, options, nullptr, nullptr};
    return multiply(0, true, product);
  }
  Scratch scratch(0);
  float* partial = scratch.floats(pieces * m * n);
  parallelFor(pieces, [&](int64_t piece, int thread) { multiplyPiece(thread, piece, pieces, m, n, k, a, b, partial, options.bf16); });
  parallelRanges(m, 16, [&](int64_t begin, int64_t end, int) { addPieces(begin, end, m, n, pieces, partial, c, cStride, options); });
}

void gemmOnThread(int thread, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t cStride,
                  const GemmOptions& options) {
  if (m == 0 || n == 0) return;
  if (k == 0) return multiplyNothing(m, n, c, cStride, options);
  const int64_t pieces = pieceCount(m, n, k);
  if (pieces == 1) {
    Product product{m, n, k, a, b, c, cStride, options, nullptr, nullptr};
    return multiply(thread, false, product);
  }
  Scratch scratch(thread);
  float* partial = scratch.floats(pieces * m * n);
  for (int64_t piece = 0; piece < pieces; piece++) multiplyPiece(thread, piece, pieces, m, n, k, a, b, partial, options.bf16);
  addPieces(0, m, m, n, pieces, partial, c, cStride, options);
}

}  // namespace mm::MM_ISA
