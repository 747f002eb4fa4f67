// CausalRead and PersistentRead on the tensor cores, without anything of size queries × keys in memory: scores of a tile of
// queries and keys exist in registers, the softmax is kept online, and the gradient recomputes weights from the saved
// log-sum-exp (to base 2). Gradients of keys and values come from one kernel, whose blocks own keys, those of the queries
// from another, whose blocks own queries: no two blocks ever add to one number, and a run gives the same bits again.
#include <cmath>

#include "../read.h"
#include "../rows.h"

namespace mm::cuda {

constexpr float lowestMaximum = -1e38f;  // a maximum to start from: 2^(-inf - lowestMaximum) = 0
constexpr int rowsPerWarp = 16;

/** Warps of a block, and the rows of the tiles that pass by, as many as shared memory holds in that precision. */
template <int Terms>
struct Sizes {
  static constexpr int forwardWarps = Terms == 1 ? 8 : 4;
  static constexpr int forwardKeys = 64;
  static constexpr int backwardWarps = 4;
  static constexpr int passing = Terms == 1 ? 64 : 32;
};

template <int Terms, int Width>
struct ForwardShared {
  static constexpr int queryRows = Sizes<Terms>::forwardWarps * rowsPerWarp, keyRows = Sizes<Terms>::forwardKeys;
  using Queries = RowTile<Terms, queryRows, Width>;
  using Keys = RowTile<Terms, keyRows, Width>;
  using Values = ColumnTile<Terms, keyRows, Width>;
  static constexpr int words = Queries::words + Keys::words + Values::words + Sizes<Terms>::forwardWarps * MaskTile::words;
};

template <int Terms, int Width>
__global__ void __launch_bounds__(Sizes<Terms>::forwardWarps* warpLanes)
    readForward(Read read, float* output, float* logSumExp) {
  using Shared = ForwardShared<Terms, Width>;
  const typename Shared::Queries queries{sharedMemory<uint32_t>()};
  const typename Shared::Keys keys{queries.data + Shared::Queries::words};
  const typename Shared::Values values{keys.data + Shared::Keys::words};
  const MaskTile mask{values.data + Shared::Values::words + warpOfBlock() * MaskTile::words};

  const int64_t head = blockIdx.y, b = head / read.heads, h = head % read.heads;
  const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
  const int blockQuery = static_cast<int>(blockIdx.x) * Shared::queryRows, warpRow = warpOfBlock() * rowsPerWarp;
  const int warpQuery = blockQuery + warpRow;
  const auto queryRows = read.queryLayout.of(read.queries, b, h);
  const auto keyRows = read.keyLayout.of(read.keys, b, h), valueRows = read.keyLayout.of(read.values, b, h);
  queries.load(queryRows[blockQuery], queryRows.stride, read.queryCount - blockQuery, read.width);

  // Scores stay as they are until the maximum is subtracted, in one rounding: large ones lose nothing.
  const float factor = read.scale * log2e;
  float sums[Width / 8][4] = {}, maximum[2] = {lowestMaximum, lowestMaximum}, total[2] = {};
  const int lastQuery = smaller(blockQuery + Shared::queryRows, read.queryCount) - 1;
  const int end = read.endKey(lastQuery);
  for (int key = read.firstKey(blockQuery) / Shared::keyRows * Shared::keyRows; key < end; key += Shared::keyRows) {
    __syncthreads();  // nobody reads the tiles before any more
    // What no query of the block may read is not loaded: a NaN there would survive a weight of 0.
    keys.load(keyRows[key], keyRows.stride, end - key, read.width);
    values.load(valueRows[key], valueRows.stride, end - key, read.width);
    __syncthreads();

    float scores[Shared::keyRows / 8][4] = {};
#pragma unroll
    for (int step = 0; step < Width; step += 16) {
      const LeftTile<Terms> left = queries.left(warpRow, step);
#pragma unroll
      for (int j = 0; j < Shared::keyRows / 8; j++) multiply<Terms>(scores[j], left, keys.right(8 * j, step));
    }

    float best[2] = {maximum[0], maximum[1]};
#pragma unroll
    for (int j = 0; j < Shared::keyRows / 8; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int query = warpQuery + group + e / 2 * 8, at = key + 8 * j + 2 * quad + e % 2;
        if (!read.reads(query, at)) scores[j][e] = -INFINITY;
        best[e / 2] = fmaxf(best[e / 2], scores[j][e] * factor);
      }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
      best[half] = fmaxf(best[half], shuffleXor(best[half], 1));
      best[half] = fmaxf(best[half], shuffleXor(best[half], 2));
      const float rescale = exp2Fast(maximum[half] - best[half]);
      maximum[half] = best[half];
      total[half] *= rescale;
#pragma unroll
      for (int n = 0; n < Width / 8; n++) {
        sums[n][2 * half] *= rescale;
        sums[n][2 * half + 1] *= rescale;
      }
    }

#pragma unroll
    for (int sub = 0; sub < Shared::keyRows; sub += 16) {
      if (read.dropout.active()) mask.draw(read.dropout, read.row(head, warpQuery + laneOfWarp() % 16), key + sub);
#pragma unroll
      for (int j = sub / 8; j < sub / 8 + 2; j++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          const float weight = exp2Fast(fmaf(scores[j][e], factor, -maximum[e / 2]));
          total[e / 2] += weight;
          const int query = group + e / 2 * 8, at = 8 * (j - sub / 8) + 2 * quad + e % 2;
          scores[j][e] = read.dropout.active() && !mask.keeps(read.dropout, query, at) ? 0 : weight;
        }
      }
      const LeftTile<Terms> weights = asLeft<Terms>(scores[sub / 8], scores[sub / 8 + 1]);
#pragma unroll
      for (int n = 0; n < Width / 8; n++) multiply<Terms>(sums[n], weights, values.right(sub, 8 * n));
    }
  }

  const auto outputRows = read.queryLayout.of(output, b, h);
#pragma unroll
  for (int half = 0; half < 2; half++) {
    total[half] += shuffleXor(total[half], 1);
    total[half] += shuffleXor(total[half], 2);
    const int query = warpQuery + group + 8 * half;
    const bool empty = total[half] == 0;  // nothing was readable
    const float share = empty ? 0 : read.dropout.scale() / total[half];
    if (query >= read.queryCount) continue;
    if (quad == 0) logSumExp[read.row(head, query)] = empty ? unreadableLogSumExp : maximum[half] + log2f(total[half]);
#pragma unroll
    for (int n = 0; n < Width / 8; n++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        const int column = 8 * n + 2 * quad + e;
        if (column < read.width) outputRows[query][column] = sums[n][2 * half + e] * share;
      }
    }
  }
}

/** What the gradient reads and writes beside the tensors of the read. */
struct ReadGradient {
  const float *output, *logSumExp, *outputGradient, *delta;
  float *queryGradient, *keyGradient, *valueGradient;
  bool tied;                   // queries and keys are one tensor: their gradients are added
  int groups;                  // stretches of the queries, each of which sums gradients of keys and values of its own
  int64_t groupStep;           // numbers between these sums
};

/** delta = output·outputGradient / dropout's scale of each query, one warp for each. */
__global__ void readDelta(Read read, ReadGradient gradient, float* delta) {
  forWarp(read.headCount * read.queryCount, [&](int64_t i) {
    const int64_t head = i / read.queryCount, b = head / read.heads, h = head % read.heads;
    const int query = static_cast<int>(i % read.queryCount);
    const float* y = read.queryLayout.of(gradient.output, b, h)[query];
    const float* dy = read.queryLayout.of(gradient.outputGradient, b, h)[query];
    float sum = 0;
    for (int c = laneOfWarp(); c < read.width; c += warpLanes) sum += y[c] * dy[c];
    sum = sumOverWarp(sum);
    if (laneOfWarp() == 0) delta[read.row(head, query)] = sum / read.dropout.scale();
  });
}

/**
 * Two products over the features at once: rows row … row + 15 of one pair of tiles with rows column … column + 15 of
 * another, as scores (keys with queries) and as products (values with changes of the output).
 */
template <int Terms, int Width, class Left, class Right>
MM_DEVICE void multiplyBoth(const Left& left, const Right& right, float (&scores)[2][4], const Left& otherLeft,
                            const Right& otherRight, float (&products)[2][4], int row, int column) {
#pragma unroll
  for (int step = 0; step < Width; step += 16) {
    const LeftTile<Terms> first = left.left(row, step), second = otherLeft.left(row, step);
#pragma unroll
    for (int j = 0; j < 2; j++) {
      multiply<Terms>(scores[j], first, right.right(column + 8 * j, step));
      multiply<Terms>(products[j], second, otherRight.right(column + 8 * j, step));
    }
  }
}

/** What dropout keeps of a weight, and the slope of its score. */
struct Slope {
  float kept, slope;
  /** `reads` says whether the query reads the key at all; `query` and `key` are their places in the mask. */
  MM_DEVICE Slope(const Read& read, const MaskTile& mask, bool reads, int query, int key, float score, float product,
                  float logSumExp, float delta) {
    const float weight = reads ? exp2Fast(fmaf(score, read.scale * log2e, -logSumExp)) : 0;
    kept = read.dropout.active() && !mask.keeps(read.dropout, query, key) ? 0 : weight;
    slope = reads ? kept * product - weight * delta : 0;
  }
};

template <int Terms, int Width>
struct KeyGradientShared {
  static constexpr int keyRows = Sizes<Terms>::backwardWarps * rowsPerWarp, queryRows = Sizes<Terms>::passing;
  using Keys = RowTile<Terms, keyRows, Width>;
  using Rows = RowTile<Terms, queryRows, Width>;
  using Columns = ColumnTile<Terms, queryRows, Width>;
  static constexpr int words =
      2 * Keys::words + 2 * Rows::words + 2 * Columns::words + Sizes<Terms>::backwardWarps * MaskTile::words + 2 * queryRows;
};

/** Gradients of the keys and values that the block owns; scores are transposed, [keys][queries]. */
template <int Terms, int Width>
__global__ void __launch_bounds__(Sizes<Terms>::backwardWarps* warpLanes) readKeyGradient(Read read, ReadGradient gradient) {
  using Shared = KeyGradientShared<Terms, Width>;
  const typename Shared::Keys keys{sharedMemory<uint32_t>()}, values{keys.data + Shared::Keys::words};
  const typename Shared::Rows queries{values.data + Shared::Keys::words}, changes{queries.data + Shared::Rows::words};
  const typename Shared::Columns queryColumns{changes.data + Shared::Rows::words};
  const typename Shared::Columns changeColumns{queryColumns.data + Shared::Columns::words};
  uint32_t* const masks = changeColumns.data + Shared::Columns::words;
  const MaskTile mask{masks + warpOfBlock() * MaskTile::words};
  float* const logSumExp = reinterpret_cast<float*>(masks + Sizes<Terms>::backwardWarps * MaskTile::words);
  float* const delta = logSumExp + Shared::queryRows;

  const int64_t head = blockIdx.y, b = head / read.heads, h = head % read.heads;
  const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
  const int blockKey = static_cast<int>(blockIdx.x) * Shared::keyRows, warpRow = warpOfBlock() * rowsPerWarp;
  const int warpKey = blockKey + warpRow;
  const auto keyRows = read.keyLayout.of(read.keys, b, h), valueRows = read.keyLayout.of(read.values, b, h);
  const auto queryRows = read.queryLayout.of(read.queries, b, h);
  const auto changeRows = read.queryLayout.of(gradient.outputGradient, b, h);
  keys.load(keyRows[blockKey], keyRows.stride, read.keyCount - blockKey, read.width);
  values.load(valueRows[blockKey], valueRows.stride, read.keyCount - blockKey, read.width);

  float keySums[Width / 8][4] = {}, valueSums[Width / 8][4] = {};
  // The queries of this group that may read one of the block's keys.
  const int perGroup = static_cast<int>((read.queryCount + gradient.groups - 1) / gradient.groups + Shared::queryRows - 1) /
                       Shared::queryRows * Shared::queryRows;
  const int lastKey = smaller(blockKey + Shared::keyRows, read.keyCount) - 1;
  const int groupBegin = static_cast<int>(blockIdx.z) * perGroup;
  const int begin = larger(groupBegin, read.firstQuery(blockKey)) / Shared::queryRows * Shared::queryRows;
  const int end = smaller(groupBegin + perGroup, read.endQuery(lastKey));
  for (int first = begin; first < end; first += Shared::queryRows) {
    __syncthreads();
    queries.load(queryRows[first], queryRows.stride, end - first, read.width);
    changes.load(changeRows[first], changeRows.stride, end - first, read.width);
    queryColumns.load(queryRows[first], queryRows.stride, end - first, read.width);
    changeColumns.load(changeRows[first], changeRows.stride, end - first, read.width);
    for (int i = threadIdx.x; i < Shared::queryRows; i += blockDim.x) {
      const bool exists = first + i < read.queryCount;
      logSumExp[i] = exists ? gradient.logSumExp[read.row(head, first + i)] : unreadableLogSumExp;
      delta[i] = exists ? gradient.delta[read.row(head, first + i)] : 0;
    }
    __syncthreads();

#pragma unroll 1
    for (int sub = 0; sub < Shared::queryRows; sub += 16) {
      float scores[2][4] = {}, products[2][4] = {};
      multiplyBoth<Terms, Width>(keys, queries, scores, values, changes, products, warpRow, sub);
      if (read.dropout.active()) mask.draw(read.dropout, read.row(head, first + sub + laneOfWarp() % 16), warpKey);
#pragma unroll
      for (int j = 0; j < 2; j++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          const int key = group + e / 2 * 8, query = 8 * j + 2 * quad + e % 2, at = sub + query;
          const Slope slope(read, mask, read.reads(first + at, warpKey + key), query, key, scores[j][e], products[j][e],
                            logSumExp[at], delta[at]);
          scores[j][e] = slope.kept;
          products[j][e] = slope.slope;
        }
      }
      const LeftTile<Terms> weights = asLeft<Terms>(scores[0], scores[1]), slopes = asLeft<Terms>(products[0], products[1]);
#pragma unroll
      for (int n = 0; n < Width / 8; n++) {
        multiply<Terms>(valueSums[n], weights, changeColumns.right(sub, 8 * n));
        multiply<Terms>(keySums[n], slopes, queryColumns.right(sub, 8 * n));
      }
    }
  }

  const float valueFactor = read.dropout.scale(), keyFactor = read.scale * valueFactor;
  const auto toKeys = read.keyLayout.of(gradient.keyGradient + blockIdx.z * gradient.groupStep, b, h);
  const auto toValues = read.keyLayout.of(gradient.valueGradient + blockIdx.z * gradient.groupStep, b, h);
#pragma unroll
  for (int n = 0; n < Width / 8; n++) {
#pragma unroll
    for (int e = 0; e < 4; e++) {
      const int key = warpKey + group + e / 2 * 8, column = 8 * n + 2 * quad + e % 2;
      if (key >= read.keyCount || column >= read.width) continue;
      toKeys[key][column] = keySums[n][e] * keyFactor;
      toValues[key][column] = valueSums[n][e] * valueFactor;
    }
  }
}

template <int Terms, int Width>
struct QueryGradientShared {
  static constexpr int queryRows = Sizes<Terms>::backwardWarps * rowsPerWarp, keyRows = Sizes<Terms>::passing;
  using Queries = RowTile<Terms, queryRows, Width>;
  using Rows = RowTile<Terms, keyRows, Width>;
  using Columns = ColumnTile<Terms, keyRows, Width>;
  static constexpr int words =
      2 * Queries::words + 2 * Rows::words + Columns::words + Sizes<Terms>::backwardWarps * MaskTile::words;
};

/** Gradients of the queries that the block owns; where queries are the keys, added to what readKeyGradient wrote. */
template <int Terms, int Width>
__global__ void __launch_bounds__(Sizes<Terms>::backwardWarps* warpLanes)
    readQueryGradient(Read read, ReadGradient gradient) {
  using Shared = QueryGradientShared<Terms, Width>;
  const typename Shared::Queries queries{sharedMemory<uint32_t>()}, changes{queries.data + Shared::Queries::words};
  const typename Shared::Rows keys{changes.data + Shared::Queries::words}, values{keys.data + Shared::Rows::words};
  const typename Shared::Columns keyColumns{values.data + Shared::Rows::words};
  const MaskTile mask{keyColumns.data + Shared::Columns::words + warpOfBlock() * MaskTile::words};

  const int64_t head = blockIdx.y, b = head / read.heads, h = head % read.heads;
  const int group = laneOfWarp() / 4, quad = laneOfWarp() % 4;
  const int blockQuery = static_cast<int>(blockIdx.x) * Shared::queryRows, warpRow = warpOfBlock() * rowsPerWarp;
  const int warpQuery = blockQuery + warpRow;
  const auto keyRows = read.keyLayout.of(read.keys, b, h), valueRows = read.keyLayout.of(read.values, b, h);
  const auto queryRows = read.queryLayout.of(read.queries, b, h);
  const auto changeRows = read.queryLayout.of(gradient.outputGradient, b, h);
  queries.load(queryRows[blockQuery], queryRows.stride, read.queryCount - blockQuery, read.width);
  changes.load(changeRows[blockQuery], changeRows.stride, read.queryCount - blockQuery, read.width);
  float logSumExp[2], delta[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int query = warpQuery + group + 8 * half;
    const bool exists = query < read.queryCount;
    logSumExp[half] = exists ? gradient.logSumExp[read.row(head, query)] : unreadableLogSumExp;
    delta[half] = exists ? gradient.delta[read.row(head, query)] : 0;
  }

  float sums[Width / 8][4] = {};
  const int lastQuery = smaller(blockQuery + Shared::queryRows, read.queryCount) - 1;
  const int end = read.endKey(lastQuery);
  for (int first = read.firstKey(blockQuery) / Shared::keyRows * Shared::keyRows; first < end; first += Shared::keyRows) {
    __syncthreads();
    keys.load(keyRows[first], keyRows.stride, end - first, read.width);
    values.load(valueRows[first], valueRows.stride, end - first, read.width);
    keyColumns.load(keyRows[first], keyRows.stride, end - first, read.width);
    __syncthreads();

#pragma unroll 1
    for (int sub = 0; sub < Shared::keyRows; sub += 16) {
      float scores[2][4] = {}, products[2][4] = {};
      multiplyBoth<Terms, Width>(queries, keys, scores, changes, values, products, warpRow, sub);
      if (read.dropout.active()) mask.draw(read.dropout, read.row(head, warpQuery + laneOfWarp() % 16), first + sub);
#pragma unroll
      for (int j = 0; j < 2; j++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          const int query = group + e / 2 * 8, key = 8 * j + 2 * quad + e % 2;
          const Slope slope(read, mask, read.reads(warpQuery + query, first + sub + key), query, key, scores[j][e],
                            products[j][e], logSumExp[e / 2], delta[e / 2]);
          products[j][e] = slope.slope;
        }
      }
      const LeftTile<Terms> slopes = asLeft<Terms>(products[0], products[1]);
#pragma unroll
      for (int n = 0; n < Width / 8; n++) multiply<Terms>(sums[n], slopes, keyColumns.right(sub, 8 * n));
    }
  }

  const float slopeFactor = read.scale * read.dropout.scale();
  const auto to = read.queryLayout.of(gradient.tied ? gradient.keyGradient : gradient.queryGradient, b, h);
#pragma unroll
  for (int n = 0; n < Width / 8; n++) {
#pragma unroll
    for (int e = 0; e < 4; e++) {
      const int query = warpQuery + group + e / 2 * 8, column = 8 * n + 2 * quad + e % 2;
      if (query >= read.queryCount || column >= read.width) continue;
      float* at = to[query] + column;
      *at = sums[n][e] * slopeFactor + (gradient.tied ? *at : 0);
    }
  }
}

// ---- starting them ------------------------------------------------------------------------------------------------------

template <int Terms, int Width>
static void startForward(const Read& read, float* output, float* logSumExp) {
  using Shared = ForwardShared<Terms, Width>;
  const dim3 grid(static_cast<unsigned>(divideUp(read.queryCount, Shared::queryRows)), static_cast<unsigned>(read.headCount));
  launch(readForward<Terms, Width>, grid, dim3(Sizes<Terms>::forwardWarps * warpLanes), Shared::words * sizeof(uint32_t), read,
         output, logSumExp);
}
template <int Terms, int Width>
static void startBackward(const Read& read, const ReadGradient& gradient) {
  using KeyShared = KeyGradientShared<Terms, Width>;
  using QueryShared = QueryGradientShared<Terms, Width>;
  const auto heads = static_cast<unsigned>(read.headCount);
  const dim3 block(Sizes<Terms>::backwardWarps * warpLanes);
  launch(readKeyGradient<Terms, Width>,
         dim3(static_cast<unsigned>(divideUp(read.keyCount, KeyShared::keyRows)), heads, static_cast<unsigned>(gradient.groups)),
         block, KeyShared::words * sizeof(uint32_t), read, gradient);
  launch(readQueryGradient<Terms, Width>, dim3(static_cast<unsigned>(divideUp(read.queryCount, QueryShared::queryRows)), heads),
         block, QueryShared::words * sizeof(uint32_t), read, gradient);
}

/** Calls start.operator()<Terms, Width>() with the smallest width that holds the heads. */
template <class Start>
static void withSizes(const Read& read, bool bf16, Start&& start) {
  const auto withWidth = [&]<int Terms>() {
    if (read.width <= 16) start.template operator()<Terms, 16>();
    else if (read.width <= 32) start.template operator()<Terms, 32>();
    else if (read.width <= 64) start.template operator()<Terms, 64>();
    else start.template operator()<Terms, 128>();
  };
  if (bf16) withWidth.template operator()<bf16Terms>();
  else withWidth.template operator()<fp32Terms>();
}

/** Heads that are wider, or more heads than a grid has places for, are another backend's work. */
static void declineUnusual(const Read& read) {
  constexpr int widest = 128;
  constexpr int64_t mostHeads = 65535;
  constexpr size_t mostShared = KeyGradientShared<fp32Terms, widest>::words * sizeof(uint32_t);
  if (read.width > widest || read.headCount > mostHeads || mostSharedBytes() < mostShared) throw Declined{};
}

static void forward(const Read& read, float* output, float* logSumExp, bool bf16) {
  declineUnusual(read);
  if (read.queryCount == 0) return;
  withSizes(read, bf16, [&]<int Terms, int Width>() { startForward<Terms, Width>(read, output, logSumExp); });
}
/** `rows` log-sum-exps in all. */
static void backward(const Read& read, ReadGradient gradient, int64_t rows, bool bf16) {
  declineUnusual(read);
  DeviceScratch<> delta(rows);
  launch(readDelta, warpBlocksFor(read.headCount * read.queryCount), dim3(blockThreads), 0, read, gradient, delta);
  gradient.delta = delta;
  withSizes(read, bf16, [&]<int Terms, int Width>() { startBackward<Terms, Width>(read, gradient); });
}

static Read causal(const float* queries, const float* keys, const float* values, int64_t batch, int64_t heads,
                   int64_t queryCount, int64_t keyCount, int64_t width, int64_t nearest, int64_t farthest,
                   int64_t offset, float scale, DropoutMask dropout) {
  const auto clamp = [](int64_t x) { return static_cast<int32_t>(std::clamp<int64_t>(x, -(1 << 29), 1 << 29)); };
  const int64_t stride = heads * width;
  return {queries, keys, values, {queryCount * stride, width, stride}, {keyCount * stride, width, stride}, heads, batch * heads,
          static_cast<int>(queryCount), static_cast<int>(keyCount), static_cast<int>(width), scale,
          true, clamp(offset), clamp(nearest), farthest < 0 ? 1 << 29 : clamp(farthest),
          dropout, std::max(1, static_cast<int32_t>(queryCount)), 0};
}
static void causalRead(const float* queries, const float* keys, const float* values, float* output, float* logSumExp,
                       int64_t batch, int64_t heads, int64_t queryCount, int64_t keyCount, int64_t width,
                       int64_t nearest, int64_t farthest, int64_t offset, float scale, uint32_t key0, uint32_t key1,
                       uint32_t threshold, bool bf16) {
  forward(causal(queries, keys, values, batch, heads, queryCount, keyCount, width, nearest, farthest, offset, scale,
                 {key0, key1, threshold}),
          output, logSumExp, bf16);
}
MM_KERNEL(causalRead)

/** queryGradient null: queries and keys are one tensor, and keyGradient is the sum of both gradients. */
static void causalReadGrad(const float* queries, const float* keys, const float* values, const float* output,
                           const float* logSumExp, const float* outputGradient, float* queryGradient,
                           float* keyGradient, float* valueGradient, int64_t batch, int64_t heads, int64_t queryCount,
                           int64_t keyCount, int64_t width, int64_t nearest, int64_t farthest, int64_t offset,
                           float scale, uint32_t key0, uint32_t key1, uint32_t threshold, bool bf16) {
  const Read read = causal(queries, keys, values, batch, heads, queryCount, keyCount, width, nearest, farthest, offset, scale,
                           {key0, key1, threshold});
  backward(read, {output, logSumExp, outputGradient, nullptr, queryGradient, keyGradient, valueGradient, queryGradient == nullptr, 1, 0},
           batch * heads * queryCount, bf16);
}
MM_KERNEL(causalReadGrad)

/** A head of the persistent memory has one set of slots and the queries of all sequences. */
static Read persistent(const float* keys, const float* slotKeys, const float* slotValues, int64_t batch, int64_t time,
                       int64_t heads, int64_t slots, int64_t width, DropoutMask dropout) {
  return {keys, slotKeys, slotValues, {0, width, heads * width}, {0, slots * width, width}, heads, heads,
          static_cast<int>(batch * time), static_cast<int>(slots), static_cast<int>(width), 1,
          false, 0, 0, 0,
          dropout, std::max(1, static_cast<int32_t>(time)), static_cast<int32_t>(heads * time)};
}
static void persistentRead(const float* keys, const float* slotKeys, const float* slotValues, float* output,
                           float* logSumExp, int64_t batch, int64_t time, int64_t heads, int64_t slots, int64_t width,
                           uint32_t key0, uint32_t key1, uint32_t threshold, bool bf16) {
  forward(persistent(keys, slotKeys, slotValues, batch, time, heads, slots, width, {key0, key1, threshold}), output, logSumExp,
          bf16);
}
MM_KERNEL(persistentRead)

static void persistentReadGrad(const float* keys, const float* slotKeys, const float* slotValues, const float* output,
                               const float* logSumExp, const float* outputGradient, float* keyGradient,
                               float* slotKeyGradient, float* slotValueGradient, int64_t batch, int64_t time,
                               int64_t heads, int64_t slots, int64_t width, uint32_t key0, uint32_t key1,
                               uint32_t threshold, bool bf16) {
  const Read read = persistent(keys, slotKeys, slotValues, batch, time, heads, slots, width, {key0, key1, threshold});
  declineUnusual(read);
  // Few slots have few blocks: the queries are then cut into groups, each with sums of its own, added up afterwards.
  constexpr int64_t enoughBlocks = 512, fewestQueries = 1024;
  const int64_t owners = heads * divideUp(slots, Sizes<bf16Terms>::backwardWarps * rowsPerWarp), queries = batch * time;
  const int64_t groups = std::clamp<int64_t>(enoughBlocks / std::max<int64_t>(1, owners), 1, std::max<int64_t>(1, queries / fewestQueries));
  const int64_t numbers = heads * slots * width;
  if (groups == 1)
    return backward(read, {output, logSumExp, outputGradient, nullptr, keyGradient, slotKeyGradient, slotValueGradient, false, 1, 0},
                    heads * queries, bf16);
  DeviceScratch<> keySums(groups * numbers), valueSums(groups * numbers);
  backward(read, {output, logSumExp, outputGradient, nullptr, keyGradient, keySums, valueSums, false, static_cast<int>(groups), numbers},
           heads * queries, bf16);
  launch(addParts<float>, blocksFor(numbers), dim3(blockThreads), 0, keySums, slotKeyGradient, groups, numbers);
  launch(addParts<float>, blocksFor(numbers), dim3(blockThreads), 0, valueSums, slotValueGradient, groups, numbers);
}
MM_KERNEL(persistentReadGrad)

}  // namespace mm::cuda
