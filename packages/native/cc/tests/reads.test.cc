// The reads of both memories: sums in double precision, for windows of every kind, with and without dropout.
#include <array>

#include "calls.h"

namespace mm::tests {
namespace {

struct Mask {
  uint32_t key0 = 0x12345678, key1 = 0x9abcdef0, threshold = 0;
  /** 0 or the factor of what is kept. */
  double operator()(int64_t row, int64_t column) const {
    if (threshold == 0) return 1;
    return isKept(key0, key1, threshold, static_cast<uint32_t>(row), static_cast<uint32_t>(column))
               ? keptScale(threshold)
               : 0;
  }
};

/** One head: queries [queryCount, width], keys and values [keyCount, width], `stride` and `keyStride` apart. */
struct Head {
  int64_t queryCount, keyCount, width, stride, keyStride;
  const float *queries, *keys, *values, *dy;
};
struct HeadGradients {
  double *y, *queries, *keys, *values;
};

/**
 * y_i = Σ_j m_ij p_ij v_j with p_i = softmax over the readable j of scale·q_i·k_j and the mask m, and its gradients, added
 * to what is there. `row(i)` is the mask's row of query i.
 */
template <class Readable, class Row>
void readInDouble(const Head& head, float scale, const Mask& mask, Readable readable, Row row, const HeadGradients& to) {
  const auto dot = [&](const float* a, const float* b) {
    double total = 0;
    for (int64_t c = 0; c < head.width; c++) total += static_cast<double>(a[c]) * b[c];
    return total;
  };
  for (int64_t i = 0; i < head.queryCount; i++) {
    const float *q = head.queries + i * head.stride, *dy = head.dy + i * head.stride;
    Doubles p(head.keyCount), kept(head.keyCount);
    double total = 0, along = 0;
    for (int64_t j = 0; j < head.keyCount; j++)
      if (readable(i, j)) total += p[j] = std::exp(scale * dot(q, head.keys + j * head.keyStride));
    for (int64_t j = 0; j < head.keyCount; j++) {
      if (total > 0) p[j] /= total;
      kept[j] = p[j] * mask(row(i), j);
      along += kept[j] * dot(dy, head.values + j * head.keyStride);
    }
    for (int64_t j = 0; j < head.keyCount; j++) {
      const float *k = head.keys + j * head.keyStride, *v = head.values + j * head.keyStride;
      const double ds = scale * (kept[j] * dot(dy, v) - p[j] * along);
      for (int64_t c = 0; c < head.width; c++) {
        to.y[i * head.stride + c] += kept[j] * v[c];
        to.queries[i * head.stride + c] += ds * k[c];
        to.keys[j * head.keyStride + c] += ds * q[c];
        to.values[j * head.keyStride + c] += kept[j] * dy[c];
      }
    }
  }
}

double toleranceOf(bool bf16) { return bf16 ? 3e-2 : 5e-6; }

struct Causal {
  int64_t queryCount, keyCount, width;
};
struct Window {
  int nearest, farthest;
};

void checkCausalRead(const Causal& shape, const Window& window, uint32_t threshold, bool bf16) {
  const int64_t queryCount = shape.queryCount, keyCount = shape.keyCount, width = shape.width;
  const int64_t batch = 2, heads = 2, stride = heads * width, offset = keyCount - queryCount;
  const float scale = 0.7f;
  const Mask mask{.threshold = threshold};
  Numbers numbers(static_cast<unsigned>(queryCount * 131 + keyCount * 17 + width));
  const auto queries = randomNumbers(numbers, batch * queryCount * stride);
  const auto dy = randomNumbers(numbers, static_cast<int64_t>(queries.size()));
  const auto keys = randomNumbers(numbers, batch * keyCount * stride);
  const auto values = randomNumbers(numbers, static_cast<int64_t>(keys.size()));
  Doubles y(queries.size()), dq(queries.size()), dk(keys.size()), dv(keys.size());
  for (int64_t b = 0; b < batch; b++)
    for (int64_t h = 0; h < heads; h++) {
      const int64_t q = b * queryCount * stride + h * width, k = b * keyCount * stride + h * width;
      readInDouble(
          {queryCount, keyCount, width, stride, stride, &queries[q], &keys[k], &values[k], &dy[q]}, scale, mask,
          [&](int64_t i, int64_t j) {
            const int64_t back = i + offset - j;
            return back >= window.nearest && (window.farthest < 0 || back <= window.farthest);
          },
          [&](int64_t i) { return (b * heads + h) * queryCount + i; }, {&y[q], &dq[q], &dk[k], &dv[k]});
    }
  const auto described = [&](vector<Value> values) {
    for (const Value& value : vector<Value>{batch, heads, queryCount, keyCount, width, window.nearest, window.farthest, offset,
                                            scale, mask.key0, mask.key1, threshold, bf16})
      values.push_back(value);
    return values;
  };
  const auto queryRoom = room(static_cast<int64_t>(queries.size())), keyRoom = room(static_cast<int64_t>(keys.size()));
  const auto read =
      call("causalRead", described({queries, keys, values, queryRoom, room(batch * heads * queryCount)}));
  CHECK_NEAR(read[0], y, toleranceOf(bf16));
  const auto found =
      call("causalReadGrad", described({queries, keys, values, read[0], read[1], dy, queryRoom, keyRoom, keyRoom}));
  CHECK_NEAR(found[0], dq, toleranceOf(bf16));
  CHECK_NEAR(found[1], dk, toleranceOf(bf16));
  CHECK_NEAR(found[2], dv, toleranceOf(bf16));
}
void readsCausally() {
  const Causal shapes[] = {{1, 1, 1},     {3, 7, 5},     {66, 66, 16},  {101, 101, 64}, {5, 231, 24},
                           {130, 259, 8}, {130, 259, 9}, {101, 101, 2}, {70, 150, 4}};
  for (const Causal& shape : shapes)
    for (bool bf16 : {false, true}) {
      for (const Window& window : {Window{1, -1}, {0, 9}, {30, -1}, {20, 55}}) checkCausalRead(shape, window, 0, bf16);
      checkCausalRead(shape, {1, -1}, 20000, bf16);
    }
}
KERNEL_TEST(readsCausally, "causal reads and their gradients agree with sums in double precision")

/** Queries and keys are one tensor in the contextual memory: the gradient is the sum of both. */
void readsItself() {
  for (int64_t width : {3, 20}) {
    const int64_t batch = 2, heads = 2, time = 70, size = batch * heads * time * width;
    Numbers numbers(static_cast<unsigned>(width));
    const auto keys = randomNumbers(numbers, size), values = randomNumbers(numbers, size), dy = randomNumbers(numbers, size);
    const vector<Value> described{batch, heads, time, time, width, 1, -1, 0, 1.f, 0, 0, 0, false};
    const auto with = [&](vector<Value> all) {
      all.insert(all.end(), described.begin(), described.end());
      return all;
    };
    const auto read = call("causalRead", with({keys, keys, values, room(size), room(batch * heads * time)}));
    const auto apart =
        call("causalReadGrad", with({keys, keys, values, read[0], read[1], dy, room(size), room(size), room(size)}));
    const auto tied =
        call("causalReadGrad", with({keys, keys, values, read[0], read[1], dy, nullptr, room(size), room(size)}));
    Doubles sum(size);
    for (int64_t i = 0; i < size; i++) sum[i] = static_cast<double>(apart[0][i]) + apart[1][i];
    CHECK_NEAR(tied[0], sum, 1e-6);
    CHECK(tied[1] == apart[2]);
  }
}
KERNEL_TEST(readsItself, "the gradient of keys that are queries too is the sum of both")

struct Persistent {
  int64_t time, slots, width;
  float apart = 0;  // length of a part of the queries that is at right angles to one of the slots
};

void checkPersistentRead(const Persistent& shape, uint32_t threshold, bool bf16) {
  const int64_t time = shape.time, slots = shape.slots, width = shape.width;
  const int64_t batch = 2, heads = 2, stride = heads * width;
  const Mask mask{.threshold = threshold};
  Numbers numbers(static_cast<unsigned>(time * 131 + slots * 17 + width));
  auto keys = randomNumbers(numbers, batch * time * stride);
  const auto dy = randomNumbers(numbers, static_cast<int64_t>(keys.size()));
  auto slotKeys = randomNumbers(numbers, heads * slots * width);
  if (shape.apart > 0) {
    for (size_t i = 0; i < keys.size(); i += width) keys[i] = shape.apart, keys[i + 1] = 0;
    for (size_t i = 0; i < slotKeys.size(); i += width) slotKeys[i] = 0, slotKeys[i + 1] = shape.apart;
  }
  const auto slotValues = randomNumbers(numbers, static_cast<int64_t>(slotKeys.size()));
  Doubles y(keys.size()), dk(keys.size()), dSlotKeys(slotKeys.size()), dSlotValues(slotKeys.size());
  for (int64_t h = 0; h < heads; h++) {
    const int64_t k = h * width, s = h * slots * width;
    readInDouble(
        {batch * time, slots, width, stride, width, &keys[k], &slotKeys[s], &slotValues[s], &dy[k]}, 1, mask,
        [](int64_t, int64_t) { return true; },
        [&](int64_t i) { return (i / time * heads + h) * time + i % time; },
        {&y[k], &dk[k], &dSlotKeys[s], &dSlotValues[s]});
  }
  const auto keyRoom = room(static_cast<int64_t>(keys.size())), slotRoom = room(static_cast<int64_t>(slotKeys.size()));
  const auto read = call("persistentRead", {keys, slotKeys, slotValues, keyRoom, room(batch * heads * time), batch, time,
                                            heads, slots, width, mask.key0, mask.key1, threshold, bf16});
  CHECK_NEAR(read[0], y, toleranceOf(bf16));
  const auto found = call("persistentReadGrad", {keys, slotKeys, slotValues, read[0], read[1], dy, keyRoom, slotRoom,
                                                 slotRoom, batch, time, heads, slots, width, mask.key0, mask.key1,
                                                 threshold, bf16});
  // What is at right angles adds nothing to the queries' gradient, but for weights that do not quite sum to 1.
  CHECK_NEAR(found[0], dk, toleranceOf(bf16) * std::max(1.f, shape.apart));
  CHECK_NEAR(found[1], dSlotKeys, toleranceOf(bf16));
  CHECK_NEAR(found[2], dSlotValues, toleranceOf(bf16));
}
void readsSlots() {
  const Persistent shapes[] = {{1, 1, 1}, {3, 5, 7}, {70, 101, 16}, {33, 230, 64}, {65, 449, 20}};
  for (const Persistent& shape : shapes)
    for (uint32_t threshold : {0u, 20000u})
      for (bool bf16 : {false, true}) checkPersistentRead(shape, threshold, bf16);
  checkPersistentRead({1100, 9, 3}, 0, false);  // more than one group of queries, forward and backward
}
KERNEL_TEST(readsSlots, "persistent reads and their gradients agree with sums in double precision")

/** The product of their lengths says little about scores of vectors at right angles. */
void readsAtRightAngles() {
  for (float apart : {3.f, 9.f, 100.f})
    for (bool bf16 : {false, true}) checkPersistentRead({70, 101, 16, apart}, 20000, bf16);
}
KERNEL_TEST(readsAtRightAngles, "reads agree where scores are far below the product of the lengths of queries and keys")

/** Slots as they are stored, and the numbers that they stand for. */
template <class Number>
struct Stored {
  vector<Number> data;
  vector<float> factors, numbers;
};
Stored<uint16_t> asBf16(const vector<float>& numbers) {
  Stored<uint16_t> stored;
  for (float x : numbers) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits &= 0xffff0000u;
    stored.data.push_back(static_cast<uint16_t>(bits >> 16));
    std::memcpy(&x, &bits, sizeof bits);
    stored.numbers.push_back(x);
  }
  return stored;
}
Stored<int8_t> asBytes(const vector<float>& numbers, int64_t width) {
  Stored<int8_t> stored;
  for (size_t i = 0; i < numbers.size(); i++) {
    if (i % width == 0) stored.factors.push_back(0.001f * static_cast<float>(1 + stored.factors.size() % 5));
    stored.data.push_back(static_cast<int8_t>(std::lround(127 * numbers[i])));
    stored.numbers.push_back(static_cast<float>(stored.data.back()) * stored.factors.back());
  }
  return stored;
}

void readsPackedSlots() {
  const int64_t heads = 2;
  for (const auto& shape :
       {std::array<int64_t, 4>{1, 1, 1, 1}, {1, 1, 70, 64}, {2, 2, 41, 5}, {1, 3, 33, 72}, {2, 40, 33, 20}}) {
    const int64_t batch = shape[0], time = shape[1], slots = shape[2], width = shape[3];
    Numbers numbers(static_cast<unsigned>(slots + width));
    const auto keys = randomNumbers(numbers, batch * time * heads * width);
    const auto slotKeys = randomNumbers(numbers, heads * slots * width);
    const auto slotValues = randomNumbers(numbers, heads * slots * width);
    const auto size = static_cast<int64_t>(keys.size());
    const auto compare = [&](const auto& k, const auto& v, bool bytes) {
      const auto expected = call("persistentRead", {keys, k.numbers, v.numbers, room(size), room(batch * heads * time), batch,
                                                    time, heads, slots, width, 0, 0, 0, false});
      const Value keyFactors = bytes ? Value(k.factors) : nullptr, valueFactors = bytes ? Value(v.factors) : nullptr;
      const auto found = call("packedPersistentRead", {keys, k.data, keyFactors, v.data, valueFactors, room(size),
                                                       room(batch * heads * time), batch, time, heads, slots, width, bytes});
      CHECK_NEAR(found[0], inDouble({expected[0]})[0], 2e-6);
    };
    compare(asBf16(slotKeys), asBf16(slotValues), false);
    compare(asBytes(slotKeys, width), asBytes(slotValues, width), true);
  }
}
KERNEL_TEST(readsPackedSlots, "slots of bf16 and of 8 bits are read as the numbers that they stand for")

void multipliesPackedWeights() {
  for (const auto& shape : {std::array<int64_t, 3>{1, 1, 1}, {1, 70, 33}, {3, 33, 130}, {16, 19, 258}, {17, 50, 1100}}) {
    const int64_t rows = shape[0], in = shape[1], out = shape[2];
    Numbers numbers(static_cast<unsigned>(rows + in));
    const auto x = randomNumbers(numbers, rows * in), weight = randomNumbers(numbers, out * in);
    const auto bias = randomNumbers(numbers, out);
    const auto compare = [&](const auto& stored, bool bytes) {
      const auto expected = call("linear", {x, stored.numbers, bias, room(rows * out), rows, in, out, false});
      const Value factors = bytes ? Value(stored.factors) : nullptr;
      const auto found = call("packedLinear", {x, stored.data, factors, bias, room(rows * out), rows, in, out, bytes});
      CHECK_NEAR(found[0], inDouble({expected[0]})[0], 2e-6);
    };
    compare(asBf16(weight), false);
    compare(asBytes(weight, in), true);
  }
}
KERNEL_TEST(multipliesPackedWeights, "weights of bf16 and of 8 bits multiply as the numbers that they stand for")

}  // namespace
}  // namespace mm::tests
