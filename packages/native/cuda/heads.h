// Rows of heads: the scaled unit vector of one head of one token, by a warp (cc/fused/heads.h on the CPU).
#pragma once
#include "../cc/kernel.h"
#include "rows.h"

namespace mm::cuda {

/** Calls start.operator()<PerLane>() with the fewest numbers for each lane of a warp that hold a head of that width. */
template <class Start>
void withHeadWidth(int64_t width, Start&& start) {
  if (width <= warpLanes) start.template operator()<1>();
  else if (width <= 2 * warpLanes) start.template operator()<2>();
  else if (width <= 4 * warpLanes) start.template operator()<4>();
  else if (width <= 16 * warpLanes) start.template operator()<16>();
  else throw Declined{};
}

/** The numbers of one head, in a warp's registers: a lane holds the features lane + 32·i. */
template <int PerLane>
struct HeadVector {
  float x[PerLane];

  template <class Read>
  MM_DEVICE void read(int width, Read&& at) {
#pragma unroll
    for (int i = 0; i < PerLane; i++) x[i] = laneOfWarp() + i * warpLanes < width ? at(laneOfWarp() + i * warpLanes) : 0;
  }
  template <class Write>
  MM_DEVICE void write(int width, Write&& to) const {
#pragma unroll
    for (int i = 0; i < PerLane; i++)
      if (laneOfWarp() + i * warpLanes < width) to(laneOfWarp() + i * warpLanes, x[i]);
  }
  /** ‖x‖, safe from overflow and underflow of the squares. */
  MM_DEVICE float norm() const {
    float largest = 0, sum = 0;
#pragma unroll
    for (int i = 0; i < PerLane; i++) sum += x[i] * x[i];
    sum = sumOverWarp(sum);
    if (sum > 1e-30f && sum < 1e38f) return sqrtf(sum);
#pragma unroll
    for (int i = 0; i < PerLane; i++) largest = fmaxf(largest, fabsf(x[i]));
    largest = largestOfWarp(largest);
    if (largest == 0 || sum != sum) return sum;
    float scaled = 0;
#pragma unroll
    for (int i = 0; i < PerLane; i++) scaled += (x[i] / largest) * (x[i] / largest);
    return largest * sqrtf(sumOverWarp(scaled));
  }
  MM_DEVICE void divideBy(float norm) {
#pragma unroll
    for (int i = 0; i < PerLane; i++) x[i] = norm == 0 ? 0 : x[i] / norm;
  }
  MM_DEVICE float dot(const HeadVector& other) const {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < PerLane; i++) sum += x[i] * other.x[i];
    return sumOverWarp(sum);
  }
};

/**
 * Gradient of y = scale · x/‖x‖: turns dy into dx = scale/‖x‖ (dy - x̂ (x̂·dy)), and gives d scale = x̂·dy. `unit` is x̂, whose
 * rounded length is not quite 1: dividing by its square keeps dx at right angles to it, however large dy is.
 */
template <int PerLane>
MM_DEVICE float scaledUnitGradient(const HeadVector<PerLane>& unit, float norm, float scale, HeadVector<PerLane>& dy) {
  const float along = unit.dot(dy), squared = unit.dot(unit), part = squared > 0 ? along / squared : 0;
#pragma unroll
  for (int i = 0; i < PerLane; i++) dy.x[i] = norm == 0 ? 0 : (dy.x[i] - unit.x[i] * part) * scale / norm;
  return along;
}

/** The sum over features of the head that a column belongs to: terms [rows][heads·width] seen as [rows·width][heads]. */
struct HeadTerm {
  const float* data;
  int64_t heads, width;
  MM_DEVICE float operator()(int64_t row, int64_t head) const {
    return data[(row / width * heads + head) * width + row % width];
  }
};

}  // namespace mm::cuda
