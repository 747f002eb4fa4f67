// What the key and value extractors share: the scaled unit vector of one head, work on the heads of a sequence token by
// token, and sums over the sequences.
#pragma once
#include <algorithm>

#include "../memory.h"
#include "../simd.h"
#include "../threads.h"

namespace mm::MM_ISA {

/** ‖x_i‖ in lane i < count, of vectors `stride` apart; safe from overflow and underflow of the squares. */
template <class Width>
MM_INLINE Floats vectorNorms(const float* x, int64_t stride, int64_t count, Width width) {
  const Floats total = sumsOf(count, [&](int64_t i) {
    Floats squares = {};
    forVectors(width, [&](int64_t c, auto present) {
      const Floats v = loadFirst(x + i * stride + c, present);
      squares = fma(v, v, squares);
    });
    return squares;
  });
  Floats norms = sqrt(total);
  const Ints safe = (total > 1e-30f) & (total < 1e38f);
  if (anyLane(~safe & firstLanes(count))) {
    for (int64_t i = 0; i < count; i++) {
      if (safe[i]) continue;
      double exact = 0;
      for (int64_t c = 0; c < width; c++) exact += static_cast<double>(x[i * stride + c]) * x[i * stride + c];
      norms[i] = static_cast<float>(__builtin_sqrt(exact));
    }
  }
  return norms;
}

/** x/‖x‖ without a division for every number: `up` keeps the inverse of very small and very large norms in range. */
struct UnitVector {
  float up, inverse;
  MM_INLINE Floats operator()(Floats x) const { return x * up * inverse; }
};
/** Those of `lanes` norms. */
struct UnitVectors {
  float ups[lanes], inverses[lanes];
  explicit UnitVectors(Floats norms) {
    const Floats up = norms < 1e-18f ? splat(0x1p60f) : norms > 1e18f ? splat(0x1p-60f) : splat(1.f);
    store(ups, up);
    store(inverses, norms == 0.f ? Floats{} : 1.f / (norms * up));
  }
  UnitVector operator[](int64_t i) const { return {ups[i], inverses[i]}; }
};

/** Heads first … end - 1 of `all`. */
struct Heads {
  int64_t first, end, all;
  int64_t count() const { return end - first; }
};

/** Goes through some heads of each row of a tensor [row][head]. */
struct HeadWalk {
  Heads heads;
  int64_t head = heads.first, place = heads.first;  // place = row · heads.all + head
  explicit HeadWalk(Heads heads) : heads(heads) {}
  void next() {
    place++;
    if (++head < heads.end) return;
    head = heads.first;
    place += heads.all - heads.count();
  }
};

/** Calls body(width), with a constant for heads that fill one vector: a loop over so few numbers costs more than its work. */
template <class Body>
MM_INLINE void withWidth(int64_t width, Body&& body) {
  if (width == lanes) body(std::integral_constant<int64_t, lanes>());
  else body(width);
}

/**
 * y = scale · x/‖x‖ for each head, 0 for the zero vector, and norm = ‖x‖, which may be null. x holds some heads of some rows
 * and nothing else, y and norm belong to tensors of all heads. As many heads are taken together as fill a vector with norms.
 */
inline void writeScaledUnits(const float* x, int64_t rows, Heads heads, int64_t headWidth, const float* scale, float* y,
                             float* norm) {
  withWidth(headWidth, [=](auto width) mutable {
    HeadWalk at(heads);
    for (int64_t left = rows * heads.count(); left > 0; left -= lanes) {
      const int64_t count = std::min<int64_t>(lanes, left);
      float norms[lanes];
      store(norms, vectorNorms(x, width, count, width));
      const UnitVectors units(load(norms));
      for (int64_t i = 0; i < count; i++, x += width, at.next()) {
        const UnitVector unit = units[i];
        const float factor = scale[at.head];
        float* to = y + at.place * width;
        forVectors(width, [&](int64_t c, auto present) {
          storeFirst(to + c, unit(loadFirst(x + c, present)) * factor, present);
        });
        if (norm != nullptr) norm[at.place] = norms[i];
      }
    }
  });
}

/**
 * Gradient of writeScaledUnits: dx = scale/‖x‖ (dy - x̂ (x̂·dy)/(x̂·x̂)) with x̂ = x/‖x‖, and x̂·dy is added to dScale of the
 * head. The rounded length of x̂ is not quite 1: dividing by its square keeps dx at right angles to it, however large dy is.
 */
inline void scaledUnitGradients(const float* x, int64_t rows, Heads heads, int64_t width, const float* norm,
                                const float* scale, const float* dy, float* dx, double* dScale) {
  HeadWalk at(heads);
  for (int64_t left = rows * heads.count(); left > 0; left -= lanes) {
    const int64_t count = std::min<int64_t>(lanes, left);
    float norms[lanes] = {}, along[lanes], part[lanes];
    HeadWalk ahead = at;
    for (int64_t i = 0; i < count; i++, ahead.next()) norms[i] = norm[ahead.place];
    const UnitVectors units(load(norms));
    Floats products[lanes], squares[lanes];
    ahead = at;
    for (int64_t i = 0; i < lanes; i++, ahead.next()) {
      const UnitVector unit = units[i];
      Floats product = {}, square = {};
      if (i < count) forVectors(width, [&](int64_t c, auto present) {
        const Floats u = unit(loadFirst(x + i * width + c, present));
        product = fma(u, loadFirst(dy + ahead.place * width + c, present), product);
        square = fma(u, u, square);
      });
      products[i] = product;
      squares[i] = square;
    }
    const Floats total = sums(products), squared = sums(squares);
    store(along, total);
    store(part, squared > 0.f ? total / squared : Floats{});
    for (int64_t i = 0; i < count; i++, x += width, dx += width, at.next()) {
      const UnitVector unit = units[i];
      const float own = part[i], factor = scale[at.head];
      const float* gradient = dy + at.place * width;
      forVectors(width, [&](int64_t c, auto present) {
        const Floats across = loadFirst(gradient + c, present) - unit(loadFirst(x + c, present)) * own;
        storeFirst(dx + c, unit(across) * factor, present);
      });
      dScale[at.head] += along[i];
    }
  }
}

template <class Number = float>
Number* zeros(int64_t count, Scratch& scratch) {
  return std::fill_n(scratch.take<Number>(count), count, Number{}) - count;
}

/** value(head) for each of the features of some heads. */
template <class Value>
const float* perFeature(Heads heads, int64_t width, Scratch& scratch, Value&& value) {
  float* features = scratch.floats(heads.count() * width);
  for (int64_t h = heads.first; h < heads.end; h++) std::fill_n(features + (h - heads.first) * width, width, value(h));
  return features;
}

/** Products of so many rows are summed in fp32, the sums in double precision. */
constexpr int64_t rowsPerSum = 16;

/** Adds the sum of each head's features to total[head] and clears them. */
inline void addFeatureSums(float* features, Heads heads, int64_t width, double* total) {
  for (int64_t h = heads.first; h < heads.end; h++) {
    Floats all = {};
    forVectors(width, [&](int64_t c, auto present) {
      all += loadFirst(features + c, present);
      storeFirst(features + c, Floats{}, present);
    });
    total[h] += sum(all);
    features += width;
  }
}

/** Rows that stay in the nearest cache while they are gone through several times, of so many tensors with so many columns. */
inline int64_t blockRows(int64_t tensors, int64_t columns) {
  return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, tensors * columns));
}

/**
 * Calls body(b, heads, thread) for each sequence and some of its heads: for all of them, whose rows are then read as they
 * lie in memory, where that makes enough tasks of the `numbers` to work on. What is computed for a head does not depend on its company.
 */
template <class Body>
void forHeads(int64_t batch, int64_t heads, int64_t numbers, Body&& body) {
  if (numbers <= elementwiseGrain) {
    for (int64_t b = 0; b < batch; b++) body(b, Heads{0, heads, heads}, 0);
    return;
  }
  const int64_t wanted = 4 * threadCount(), parts = std::clamp<int64_t>((wanted + batch - 1) / batch, 1, heads);
  parallelFor(batch * parts, [&](int64_t task, int thread) {
    const int64_t part = task % parts;
    body(task / parts, Heads{heads * part / parts, heads * (part + 1) / parts, heads}, thread);
  });
}

/** total[h] = Σ_b parts[b][h], in order. */
inline void sumHeads(const double* parts, int64_t batch, int64_t heads, float* total) {
  for (int64_t h = 0; h < heads; h++) {
    double all = 0;
    for (int64_t b = 0; b < batch; b++) all += parts[b * heads + h];
    total[h] = static_cast<float>(all);
  }
}

}  // namespace mm::MM_ISA
