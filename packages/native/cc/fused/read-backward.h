// The gradient of a memory's read (see memory-read.h) for one head.
#pragma once
#include <cstring>
#include "../memory.h"
#include "score-tile.h"
#include "softmax-exp.h"
#include "tile-dropout.h"

namespace mm::MM_ISA {

/** Keys of a score tile of the gradient, which passes once over two tiles, and gains more from longer sums than the read. */
constexpr int keysPerGradient = lanes == 16 ? 448 : 96;
/** Scores from which on rounding errors of their gradients, multiplied by keys and queries so long, would show. */
constexpr float coarseScore = 1e3f;

/**
 * Gradients of readForward for queries first … last - 1: dq is written, dk and dv are what these queries contribute.
 *
 *   p_ij = 2^(s_ij log2 e - lse_i),  w_ij = dropout(p_ij),  dv_j = Σ_i w_ij dy_i,
 *   ds_ij = w_ij (dy_i·v_j) - p_ij (dy_i·y_i),  dq_i = scale Σ_j ds_ij k_j,  dk_j = scale Σ_i ds_ij q_i
 */
template <bool Paired>
void readBackward(const HeadRead& head, const HeadReadGradients& gradients, int first, int last, Scratch& scratch) {
  using namespace read;
  constexpr int per = stepDepth<Paired>;
  constexpr int tileSteps = tileQueries / per;
  const int width = head.width, stride = roundUp(width, lanes), tiles = (last - first + tileQueries - 1) / tileQueries;
  const int64_t widthSteps = stepCount<Paired>(width);
  const int64_t columnTile = widthSteps * tileQueries, rowTile = int64_t{tileSteps} * stride;
  const int sumWidth = std::max(stride, roundUp(width, panelRows));

  // Of each query tile: q and dy by columns [width step][tileQueries] and by rows [query step][width], Σ_j ds k as [width][tileQueries].
  float* queryColumns = scratch.floats(tiles * columnTile);
  float* gradientColumns = scratch.floats(tiles * columnTile);
  float* queryRows = scratch.floats(tiles * rowTile);
  float* gradientRows = scratch.floats(tiles * rowTile);
  float* querySums = scratch.floats(int64_t{tiles} * sumWidth * tileQueries);
  float* logSumExp = scratch.floats(tiles * tileQueries);
  float* delta = scratch.floats(tiles * tileQueries);  // dy_i·y_i / dropoutScale
  int32_t* rows = scratch.take<int32_t>(tiles * tileQueries);
  // Of a chunk of keys.
  float* keyPanels = scratch.floats(roundUp(keysPerGradient, panelRows) * widthSteps);
  float* valuePanels = scratch.floats(roundUp(keysPerGradient, panelRows) * widthSteps);
  float* keyColumnPanels = scratch.floats(roundUp(width, panelRows) * stepCount<Paired>(keysPerGradient));
  float* keySums = scratch.floats(int64_t{keysPerGradient} * stride);
  float* valueSums = scratch.floats(int64_t{keysPerGradient} * stride);
  // Of a tile: scores become dropped weights w, dy·v becomes ds; in bf16 pairs they are stored anew, ds twice.
  float* scores = scratch.floats((keysPerGradient + panelRows) * tileQueries);
  float* products = scratch.floats((keysPerGradient + panelRows) * tileQueries);
  float* weightRows = per == 1 ? scores : scratch.floats(keysPerGradient * tileSteps);      // [key][query step]
  float* scoreRows = per == 1 ? products : scratch.floats(keysPerGradient * tileSteps);     // [key][query step]
  float* scoreColumns = per == 1 ? products : scratch.floats(keysPerGradient / per * tileQueries);  // [key step][tileQueries]

  const TileDropout dropout(head.dropout);
  // The tiles hold weights and ds without the factor that dropout gives the kept weights; it comes at the end.
  const float dropoutScale = head.dropout.scale();

  for (int tile = 0; tile < tiles; tile++) {
    const int query = first + tile * tileQueries, count = std::min(tileQueries, last - query);
    const Rows<const float> q{head.queries[query], head.queries.stride};
    const Rows<const float> dy{gradients.outputGradient[query], gradients.outputGradient.stride};
    packPanels<tileQueries, Paired>(queryColumns + tile * columnTile, q.data, q.stride, 1, count, width, head.bf16);
    packPanels<tileQueries, Paired>(gradientColumns + tile * columnTile, dy.data, dy.stride, 1, count, width, head.bf16);
    packRows<Paired>(queryRows + tile * rowTile, q, count, width, tileSteps, head.bf16);
    packRows<Paired>(gradientRows + tile * rowTile, dy, count, width, tileSteps, head.bf16);
    for (int i = 0; i < tileQueries; i++) {
      const int at = tile * tileQueries + i;
      rows[at] = head.row(query + i);
      Floats dot = {};
      for (int column = 0; i < count && column < width; column += lanes) {
        dot = fma(loadFirst(dy[i] + column, width - column),
                  loadFirst(gradients.output[query + i] + column, width - column), dot);
      }
      delta[at] = sum(dot) / dropoutScale;
      logSumExp[at] = i < count ? gradients.logSumExp[rows[at]] : unreadableLogSumExp;
    }
  }
  std::memset(querySums, 0, sizeof(float) * tiles * sumWidth * tileQueries);

  const auto packChunk = [&](int begin) {
    const int present = std::min(keysPerGradient, head.keyCount - begin);
    const Rows<const float> k{head.keys[begin], head.keys.stride}, v{head.values[begin], head.values.stride};
    packRowPanels<Paired>(keyPanels, k, present, width, head.bf16);
    packRowPanels<Paired>(valuePanels, v, present, width, head.bf16);
    packColumnPanels<Paired>(keyColumnPanels, k, present, width, head.bf16);
    return present;
  };
  // Fills `scores` and `products` for a tile and the chunk; gives its keys, 0 if the tile reads none of them.
  const auto fillTile = [&](int tile, int begin, int present) {
    const int query = first + tile * tileQueries;
    const int keys = std::min(present, head.endKey(std::min(query + tileQueries, last) - 1) - begin);
    if (keys <= 0 || head.firstKey(query) >= begin + present) return 0;
    const int paddedKeys = roundUp(keys, 8);
    multiplyPanels<Paired>(scores, keyPanels, queryColumns + tile * columnTile, keys, widthSteps);
    scaleTile(scores, keys, head.scale);
    multiplyPanels<Paired>(products, valuePanels, gradientColumns + tile * columnTile, keys, widthSteps);
    std::fill(scores + keys * tileQueries, scores + paddedKeys * tileQueries, lowestScore);
    std::fill(products + keys * tileQueries, products + paddedKeys * tileQueries, 0.f);
    const TileWindow window(head, query);
    window.hideUnreadable(scores, begin, keys, lowestScore);
    window.hideUnreadable(products, begin, keys, 0);
    return keys;
  };

  // Σ_j ds_ij is 0. Where keys are so long that a score's gradient is multiplied by thousands, this must hold exactly: dy_i·y_i
  // is then replaced by Σ_j w_ij (dy_i·v_j) / Σ_j p_ij, of the very numbers used below.
  const auto largestScore = [&] {
    return longest({head.queries[first], head.queries.stride}, last - first, width) *
           longest(head.keys, head.keyCount, width) * __builtin_fabsf(head.scale);
  };
  if (!head.bf16 && largestScore() > coarseScore) {
    float* total = scratch.floats(tiles * tileQueries);  // Σ_j p_ij
    float* along = scratch.floats(tiles * tileQueries);  // Σ_j w_ij (dy_i·v_j)
    std::memset(total, 0, sizeof(float) * tiles * tileQueries);
    std::memset(along, 0, sizeof(float) * tiles * tileQueries);
    for (int begin = 0; begin < head.keyCount; begin += keysPerGradient) {
      const int present = packChunk(begin);
      for (int tile = 0; tile < tiles; tile++) {
        const int keys = fillTile(tile, begin, present);
        for (int column = 0; column < tileQueries; column += lanes) {
          const int at = tile * tileQueries + column;
          const TileDropout::Rows dropoutRows = dropout.rows(load(rows + at));
          Floats p = load(total + at), wProduct = load(along + at);
          for (int key = 0; key < keys; key += 8) {
            const PhiloxBlock bits = dropout.block(dropoutRows, (begin + key) / 8);
            for (int i = 0; i < 8; i++) {
              const int score = (key + i) * tileQueries + column;
              const Floats weight = exp2Softmax(load(scores + score) * log2e - load(logSumExp + at));
              p += weight;
              wProduct = fma(keep(dropout.kept(bits, i), weight), load(products + score), wProduct);
            }
          }
          store(total + at, p);
          store(along + at, wProduct);
        }
      }
    }
    for (int at = 0; at < tiles * tileQueries; at++)
      if (total[at] > 0) delta[at] = along[at] / total[at];
  }

  for (int begin = 0; begin < head.keyCount; begin += keysPerGradient) {
    const int present = packChunk(begin);
    std::memset(keySums, 0, sizeof(float) * present * stride);
    std::memset(valueSums, 0, sizeof(float) * present * stride);

    for (int tile = 0; tile < tiles; tile++) {
      const int keys = fillTile(tile, begin, present), paddedKeys = roundUp(keys, 8);
      if (keys == 0) continue;
      // Two vectors of queries at a time, because they make one vector of bf16 pairs.
      for (int vector = 0; vector < tileQueryVectors; vector += 2) {
        Floats rowLogSumExp[2], rowDelta[2];
        TileDropout::Rows dropoutRows[2];
        MM_UNROLL for (int half = 0; half < 2; half++) {
          const int at = tile * tileQueries + (vector + half) * lanes;
          rowLogSumExp[half] = load(logSumExp + at);
          rowDelta[half] = load(delta + at);
          dropoutRows[half] = dropout.rows(load(rows + at));
        }
        const auto differentiate = [&](auto drop) {
          for (int key = 0; key < paddedKeys; key += 8) {
            PhiloxBlock bits[2];
            if constexpr (drop) {
              MM_UNROLL for (int half = 0; half < 2; half++)
                bits[half] = dropout.block(dropoutRows[half], (begin + key) / 8);
            }
            MM_UNROLL for (int pair = 0; pair < 8; pair += 2) {
              Floats w[2][2], ds[2][2];  // [key][half]
              MM_UNROLL for (int i = 0; i < 2; i++) {
                MM_UNROLL for (int half = 0; half < 2; half++) {
                  const int at = (key + pair + i) * tileQueries + (vector + half) * lanes;
                  const Floats p = exp2Softmax(load(scores + at) * log2e - rowLogSumExp[half]);
                  w[i][half] = p;
                  if constexpr (drop) w[i][half] = keep(dropout.kept(bits[half], pair + i), p);
                  ds[i][half] = w[i][half] * load(products + at) - p * rowDelta[half];
                  if constexpr (per == 1) {
                    store(scores + at, w[i][half]);
                    store(products + at, ds[i][half]);
                  }
                }
                if constexpr (per == 2) {
                  const int at = (key + pair + i) * tileSteps + vector / 2 * lanes;
                  store(weightRows + at, narrowToBf16(w[i][0], w[i][1]));
                  store(scoreRows + at, narrowToBf16(ds[i][0], ds[i][1]));
                }
              }
              if constexpr (per == 2) {
                MM_UNROLL for (int half = 0; half < 2; half++) {
                  store(scoreColumns + (key + pair) / 2 * tileQueries + (vector + half) * lanes,
                        pairBf16(ds[0][half], ds[1][half]));
                }
              }
            }
          }
        };
        if (dropout.active()) differentiate(std::true_type{});
        else differentiate(std::false_type{});
      }

      if (head.bf16 && per == 1) {
        roundInPlace(scores, keys * tileQueries);
        roundInPlace(products, keys * tileQueries);
      }
      if (keys % 2 != 0) {  // the products below take even numbers of rows
        std::fill_n(weightRows + keys * tileSteps, tileSteps, 0.f);
        std::fill_n(scoreRows + keys * tileSteps, tileSteps, 0.f);
      }
      multiplyColumns<Paired>(querySums + int64_t{tile} * sumWidth * tileQueries, keyColumnPanels,
                            stepCount<Paired>(present), scoreColumns, width, stepCount<Paired>(keys));
      addRowProducts<Paired>(valueSums, stride, weightRows, gradientRows + tile * rowTile, keys);
      addRowProducts<Paired>(keySums, stride, scoreRows, queryRows + tile * rowTile, keys);
    }
    for (int key = 0; key < present; key++) {
      for (int column = 0; column < width; column += lanes) {
        const int at = key * stride + column;
        storeFirst(gradients.keys[begin + key] + column, load(keySums + at) * (head.scale * dropoutScale), width - column);
        storeFirst(gradients.values[begin + key] + column, load(valueSums + at) * dropoutScale, width - column);
      }
    }
  }
  Floats factor[tileQueryVectors];
  for (auto& f : factor) f = splat(head.scale * dropoutScale);
  for (int tile = 0; tile < tiles; tile++) {
    const int query = first + tile * tileQueries;
    unpackTile(querySums + int64_t{tile} * sumWidth * tileQueries, factor,
               {gradients.queries[query], gradients.queries.stride}, std::min(tileQueries, last - query), width,
               gradients.tied);
  }
}

}  // namespace mm::MM_ISA
