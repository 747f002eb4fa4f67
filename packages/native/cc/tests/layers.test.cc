// The kernels of layers: values against definitions in double precision, gradients against differences of these.
#include <array>

#include "calls.h"

namespace mm::tests {
namespace {

int64_t sizeOf(const vector<float>& numbers) { return static_cast<int64_t>(numbers.size()); }

/** Compares the gradients of `inputs` that a kernel found, in this order, with differences of the definition. */
void checkGradients(const Definition& f, const vector<vector<float>>& inputs, const vector<float>& dy,
                    const vector<vector<float>>& found, double tolerance = 5e-6) {
  for (size_t which = 0; which < found.size(); which++) CHECK_NEAR(found[which], gradient(f, inputs, which, dy), tolerance);
}

vector<float> shifted(vector<float> numbers, float by) {
  for (float& x : numbers) x += by;
  return numbers;
}

void mapsLinearly() {
  for (const auto& shape :
       {std::array<int64_t, 3>{1, 1, 1}, {1, 37, 5}, {3, 7, 9}, {16, 20, 3}, {19, 6, 33}}) {
    const int64_t rows = shape[0], in = shape[1], out = shape[2];
    Numbers numbers(static_cast<unsigned>(rows * 31 + in));
    const vector<vector<float>> inputs = {randomNumbers(numbers, rows * in), randomNumbers(numbers, out * in),
                                          randomNumbers(numbers, out)};
    const Definition f = [&](const vector<Doubles>& all) {
      Doubles y(rows * out);
      for (int64_t i = 0; i < rows; i++)
        for (int64_t o = 0; o < out; o++) {
          y[i * out + o] = all[2][o];
          for (int64_t k = 0; k < in; k++) y[i * out + o] += all[0][i * in + k] * all[1][o * in + k];
        }
      return y;
    };
    for (bool bf16 : {false, true}) {
      const auto y = call("linear", {inputs[0], inputs[1], inputs[2], room(rows * out), rows, in, out, bf16});
      CHECK_NEAR(y[0], f(inDouble(inputs)), bf16 ? 2e-2 : 2e-6);
    }
    const auto dy = randomNumbers(numbers, rows * out);
    checkGradients(f, inputs, dy,
                   call("linearGrad", {inputs[0], inputs[1], dy, room(rows * in), room(out * in), room(out), rows, in, out,
                                       false}));
  }
}
KERNEL_TEST(mapsLinearly, "linear maps and their gradients")

void normalises() {
  for (const auto& shape : {std::array<int64_t, 2>{1, 1}, {3, 5}, {7, 33}, {2, 64}}) {
    const int64_t rows = shape[0], columns = shape[1];
    Numbers numbers(static_cast<unsigned>(rows * 31 + columns));
    const vector<vector<float>> inputs = {shifted(randomNumbers(numbers, rows * columns), 3), randomNumbers(numbers, columns),
                                          randomNumbers(numbers, columns)};
    const Definition f = [&](const vector<Doubles>& all) {
      Doubles y(rows * columns);
      for (int64_t i = 0; i < rows; i++) {
        double mean = 0, variance = 0;
        for (int64_t c = 0; c < columns; c++) mean += all[0][i * columns + c] / columns;
        for (int64_t c = 0; c < columns; c++) variance += std::pow(all[0][i * columns + c] - mean, 2) / columns;
        for (int64_t c = 0; c < columns; c++)
          y[i * columns + c] = (all[0][i * columns + c] - mean) / std::sqrt(variance + 1e-5) * all[1][c] + all[2][c];
      }
      return y;
    };
    const auto y = call("layerNorm", {inputs[0], inputs[1], inputs[2], room(rows * columns), room(rows), room(rows), rows,
                                      columns, 1e-5f});
    CHECK_NEAR(y[0], f(inDouble(inputs)), 5e-6);
    const auto dy = randomNumbers(numbers, rows * columns);
    checkGradients(f, inputs, dy,
                   call("layerNormGrad", {inputs[0], inputs[1], y[1], y[2], dy, room(rows * columns), room(columns),
                                          room(columns), rows, columns}),
                   2e-5);
  }
}
KERNEL_TEST(normalises, "layer norm and its gradients")

struct Heads {
  int64_t batch, time, heads, width;
  int64_t size() const { return batch * time * heads * width; }
  int64_t at(int64_t b, int64_t t, int64_t h) const { return ((b * time + t) * heads + h) * width; }
};
const Heads headShapes[] = {{1, 1, 1, 1}, {2, 5, 2, 3}, {1, 9, 3, 17}};

/** ȳ_t = e^{-rate} ȳ_{t-1} + (1 - e^{-rate}) u_t from `start` [batch, heads·width], or from zero. */
Doubles averageInDouble(const Heads& s, const Doubles& u, const Doubles& rate, const Doubles* start = nullptr) {
  Doubles y(u.size());
  for (int64_t b = 0; b < s.batch; b++)
    for (int64_t h = 0; h < s.heads; h++)
      for (int64_t c = 0; c < s.width; c++) {
        double state = start == nullptr ? 0 : (*start)[(b * s.heads + h) * s.width + c];
        for (int64_t t = 0; t < s.time; t++) {
          const double decay = std::exp(-rate[h]);
          y[s.at(b, t, h) + c] = state = decay * state + (1 - decay) * u[s.at(b, t, h) + c];
        }
      }
  return y;
}
Doubles unitInDouble(const Heads& s, Doubles x, const Doubles& scale) {
  for (int64_t row = 0; row < s.batch * s.time * s.heads; row++) {
    double squares = 0;
    for (int64_t c = 0; c < s.width; c++) squares += x[row * s.width + c] * x[row * s.width + c];
    for (int64_t c = 0; c < s.width; c++) x[row * s.width + c] *= scale[row % s.heads] / std::sqrt(squares);
  }
  return x;
}

void averages() {
  for (const Heads& s : headShapes) {
    Numbers numbers(static_cast<unsigned>(s.size()));
    const auto u = randomNumbers(numbers, s.size()), rate = shifted(randomNumbers(numbers, s.heads), 1.2f);
    const auto scale = randomNumbers(numbers, s.heads), dy = randomNumbers(numbers, s.size());
    const int64_t norms = s.batch * s.time * s.heads;
    const Value room1 = room(s.size()), perHead = room(s.heads);

    const Definition average = [&](const vector<Doubles>& all) { return averageInDouble(s, all[0], all[1]); };
    const auto y = call("leakyAverage", {u, rate, room1, s.batch, s.time, s.heads, s.width});
    CHECK_NEAR(y[0], average(inDouble({u, rate})), 2e-6);
    checkGradients(average, {u, rate}, dy,
                   call("leakyAverageGrad", {u, rate, y[0], dy, room1, perHead, s.batch, s.time, s.heads, s.width}));

    const Definition keys = [&](const vector<Doubles>& all) {
      return unitInDouble(s, averageInDouble(s, all[0], all[1]), all[2]);
    };
    const auto k = call("leakyKeys", {u, rate, scale, room1, room(norms), s.batch, s.time, s.heads, s.width});
    CHECK_NEAR(k[0], keys(inDouble({u, rate, scale})), 2e-6);
    checkGradients(keys, {u, rate, scale}, dy,
                   call("leakyKeysGrad", {u, rate, scale, k[1], dy, room1, perHead, perHead, s.batch, s.time, s.heads, s.width}),
                   1e-4);

    const auto start = randomNumbers(numbers, s.batch * s.heads * s.width);
    const Doubles before(start.begin(), start.end());
    const Doubles after = averageInDouble(s, inDouble({u})[0], inDouble({rate})[0], &before);
    const auto advanced = call("advanceKeys", {u, rate, scale, start, room1, room(sizeOf(start)), s.batch, s.time, s.heads, s.width});
    CHECK_NEAR(advanced[0], unitInDouble(s, after, inDouble({scale})[0]), 5e-6);
    Doubles last;
    for (int64_t b = 0; b < s.batch; b++)
      last.insert(last.end(), after.begin() + s.at(b, s.time - 1, 0), after.begin() + s.at(b, s.time - 1, 0) + s.heads * s.width);
    CHECK_NEAR(advanced[1], last, 2e-6);
    CHECK(call("advanceKeys", {u, rate, scale, nullptr, room1, room(sizeOf(start)), s.batch, s.time, s.heads, s.width})[0] == k[0]);
  }
}
KERNEL_TEST(averages, "leaky averages and keys, their gradients, and keys that go on")

/** mix·w_t + (1 - mix)·w_{t+shift}. */
Doubles mixInDouble(const Heads& s, const Doubles& w, const Doubles& mix, int64_t shift) {
  Doubles mixed(w.size());
  for (int64_t b = 0; b < s.batch; b++)
    for (int64_t t = 0; t < s.time; t++)
      for (int64_t h = 0; h < s.heads; h++)
        for (int64_t c = 0; c < s.width; c++) {
          const double later = t + shift < s.time ? w[s.at(b, t + shift, h) + c] : 0;
          mixed[s.at(b, t, h) + c] = mix[h] * w[s.at(b, t, h) + c] + (1 - mix[h]) * later;
        }
  return mixed;
}

void peeks() {
  for (const Heads& s : headShapes)
    for (int64_t shift : {0, 1, 20}) {
      Numbers numbers(static_cast<unsigned>(s.size() + shift));
      const vector<vector<float>> inputs = {randomNumbers(numbers, s.size()), randomNumbers(numbers, s.heads),
                                            randomNumbers(numbers, s.heads)};
      const Definition f = [&](const vector<Doubles>& all) {
        return unitInDouble(s, mixInDouble(s, all[0], all[1], shift), all[2]);
      };
      const auto y = call("peekValues", {inputs[0], inputs[1], inputs[2], room(s.size()), room(s.batch * s.time * s.heads), shift,
                                         s.batch, s.time, s.heads, s.width});
      CHECK_NEAR(y[0], f(inDouble(inputs)), 5e-6);
      const auto dy = randomNumbers(numbers, s.size());
      checkGradients(f, inputs, dy,
                     call("peekValuesGrad", {inputs[0], inputs[1], inputs[2], y[1], dy, room(s.size()), room(s.heads),
                                             room(s.heads), shift, s.batch, s.time, s.heads, s.width}),
                     1e-4);
    }
}
KERNEL_TEST(peeks, "values that peek ahead, and their gradients")

/** Compares gradients with the difference of the definition along one direction: enough where there are many numbers. */
void checkSlope(const Definition& f, const vector<vector<float>>& inputs, const vector<float>& dy,
                const vector<vector<float>>& found) {
  constexpr double step = 1e-5;
  Numbers numbers(1);
  vector<Doubles> ahead = inDouble(inputs), behind = ahead;
  double slope = 0, size = 0, expected = 0;
  for (size_t which = 0; which < found.size(); which++)
    for (size_t i = 0; i < found[which].size(); i++) {
      const double direction = numbers.next(), part = direction * found[which][i];
      ahead[which][i] += step * direction;
      behind[which][i] -= step * direction;
      slope += part;
      size += part * part;
    }
  const Doubles after = f(ahead), before = f(behind);
  for (size_t i = 0; i < dy.size(); i++) expected += dy[i] * (after[i] - before[i]) / (2 * step);
  CHECK(std::fabs(slope - expected) < 1e-5 * std::sqrt(size));
}

/** Enough tokens to be shared among threads and cut into blocks, of heads that fill a vector and of heads that do not. */
void sharesHeads() {
  for (const Heads& s : {Heads{2, 130, 5, 16}, Heads{1, 70, 3, 90}}) {
    Numbers numbers(static_cast<unsigned>(s.size()));
    const auto u = randomNumbers(numbers, s.size()), rate = shifted(randomNumbers(numbers, s.heads), 1.2f);
    const auto scale = randomNumbers(numbers, s.heads), dy = randomNumbers(numbers, s.size());
    const Value like = room(s.size()), perHead = room(s.heads), norms = room(s.batch * s.time * s.heads);

    const Definition average = [&](const vector<Doubles>& all) { return averageInDouble(s, all[0], all[1]); };
    const auto y = call("leakyAverage", {u, rate, like, s.batch, s.time, s.heads, s.width});
    CHECK_NEAR(y[0], average(inDouble({u, rate})), 2e-6);
    checkSlope(average, {u, rate}, dy,
               call("leakyAverageGrad", {u, rate, y[0], dy, like, perHead, s.batch, s.time, s.heads, s.width}));

    const Definition keys = [&](const vector<Doubles>& all) { return unitInDouble(s, average(all), all[2]); };
    const auto k = call("leakyKeys", {u, rate, scale, like, norms, s.batch, s.time, s.heads, s.width});
    CHECK_NEAR(k[0], keys(inDouble({u, rate, scale})), 2e-6);
    checkSlope(keys, {u, rate, scale}, dy,
               call("leakyKeysGrad", {u, rate, scale, k[1], dy, like, perHead, perHead, s.batch, s.time, s.heads, s.width}));

    for (int64_t shift : {1, 20}) {
      const Definition values = [&](const vector<Doubles>& all) { return unitInDouble(s, mixInDouble(s, all[0], all[1], shift), all[2]); };
      const auto v = call("peekValues", {u, rate, scale, like, norms, shift, s.batch, s.time, s.heads, s.width});
      CHECK_NEAR(v[0], values(inDouble({u, rate, scale})), 5e-6);
      checkSlope(values, {u, rate, scale}, dy,
                 call("peekValuesGrad", {u, rate, scale, v[1], dy, like, perHead, perHead, shift, s.batch, s.time, s.heads, s.width}));
    }
  }
}
KERNEL_TEST(sharesHeads, "heads shared among threads")

void scales() {
  for (const Heads& s : headShapes) {
    Numbers numbers(static_cast<unsigned>(s.size()));
    const auto x = randomNumbers(numbers, s.size()), scale = randomNumbers(numbers, s.heads), dy = randomNumbers(numbers, s.size());
    const int64_t rows = s.batch * s.time;
    const Definition f = [&](const vector<Doubles>& all) {
      Doubles y = all[0];
      for (size_t i = 0; i < y.size(); i++) y[i] *= all[1][i / s.width % s.heads];
      return y;
    };
    CHECK_NEAR(call("scaleHeads", {x, scale, room(s.size()), rows, s.heads, s.width})[0], f(inDouble({x, scale})), 1e-6);
    checkGradients(f, {x, scale}, dy,
                   call("scaleHeadsGrad", {x, scale, dy, room(s.size()), room(s.heads), rows, s.heads, s.width}));
  }
}
KERNEL_TEST(scales, "scaled heads and their gradients")

void drops() {
  const uint32_t key0 = 7, key1 = 0xfedcba98;
  for (uint32_t threshold : {0u, 3277u, 40000u})
    for (const auto& shape : {std::array<int64_t, 2>{1, 1}, {5, 77}, {9, 200}, {300, 257}}) {
      const int64_t rows = shape[0], columns = shape[1];
      Numbers numbers(static_cast<unsigned>(rows + columns));
      const auto residual = randomNumbers(numbers, rows * columns), x = randomNumbers(numbers, rows * columns);
      Doubles dropped(x.size()), sum(x.size());
      for (size_t i = 0; i < x.size(); i++) {
        const auto row = static_cast<uint32_t>(i / columns), column = static_cast<uint32_t>(i % columns);
        dropped[i] = isKept(key0, key1, threshold, row, column) ? x[i] * keptScale(threshold) : 0;
        sum[i] = residual[i] + dropped[i];
      }
      CHECK_NEAR(call("dropoutAdd", {nullptr, x, room(sizeOf(x)), rows, columns, key0, key1, threshold})[0], dropped, 1e-6);
      CHECK_NEAR(call("dropoutAdd", {residual, x, room(sizeOf(x)), rows, columns, key0, key1, threshold})[0], sum, 1e-6);
    }
}
KERNEL_TEST(drops, "dropout keeps what its key says")

void bends() {
  Numbers numbers(1);
  auto x = randomNumbers(numbers, 131);
  for (float& v : x) v *= 6;
  const auto dy = randomNumbers(numbers, sizeOf(x));
  const Definition f = [](const vector<Doubles>& all) {
    Doubles y = all[0];
    for (double& v : y) v = 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
    return y;
  };
  CHECK_NEAR(call("gelu", {x, room(sizeOf(x)), sizeOf(x)})[0], f(inDouble({x})), 1e-6);
  checkGradients(f, {x}, dy, call("geluGrad", {x, dy, room(sizeOf(x)), sizeOf(x)}));
}
KERNEL_TEST(bends, "GELU and its gradient")

void embeds() {
  for (const auto& shape : {std::array<int64_t, 3>{1, 1, 1}, {7, 5, 4}, {40, 130, 11}}) {
    const int64_t count = shape[0], columns = shape[1], vocabulary = shape[2];
    Numbers numbers(static_cast<unsigned>(count));
    const auto weight = randomNumbers(numbers, vocabulary * columns), dy = randomNumbers(numbers, count * columns);
    vector<int32_t> tokens(count);
    for (int64_t i = 0; i < count; i++) tokens[i] = static_cast<int32_t>(i * 3 % vocabulary);
    Doubles rows, sums(weight.size()), added(weight.begin(), weight.end());
    for (int64_t i = 0; i < count * columns; i++) {
      const int64_t at = tokens[i / columns] * columns + i % columns;
      rows.push_back(weight[at]);
      sums[at] += dy[i];
      added[at] += dy[i];
    }
    CHECK_NEAR(call("embedding", {weight, tokens, room(count * columns), count, columns})[0], rows, 1e-9);
    CHECK_NEAR(call("embeddingGrad", {tokens, dy, room(sizeOf(weight)), count, columns, vocabulary})[0], sums, 1e-6);
    CHECK_NEAR(call("addEmbeddingGrad", {tokens, dy, changed(weight), count, columns})[0], added, 1e-6);
  }
}
KERNEL_TEST(embeds, "embeddings and the sums of their gradients")

/** Mean over the targets that are not ignored of -log softmax(scale·x·Wᵀ)[target]; the losses in `each`. */
void learnsToPredict() {
  const float scale = 0.5f;
  const int32_t ignore = -1;
  for (const auto& shape : {std::array<int64_t, 3>{1, 1, 1}, {7, 5, 11}, {50, 64, 2077}}) {
    const int64_t tokens = shape[0], width = shape[1], vocabulary = shape[2];
    Numbers numbers(static_cast<unsigned>(tokens * 131 + width * 17 + vocabulary));
    const auto x = randomNumbers(numbers, tokens * width), weight = randomNumbers(numbers, vocabulary * width);
    vector<int32_t> targets(tokens);
    for (int64_t i = 0; i < tokens; i++) targets[i] = i % 3 == 2 ? ignore : static_cast<int32_t>(i * 7 % vocabulary);
    double loss = 0, counted = 0;
    for (int32_t target : targets) counted += target != ignore;
    Doubles dx(x.size()), dWeight(weight.size()), each(tokens);
    for (int64_t i = 0; i < tokens; i++) {
      if (targets[i] == ignore) continue;
      Doubles logits(vocabulary);
      double total = 0;
      for (int64_t v = 0; v < vocabulary; v++) {
        for (int64_t c = 0; c < width; c++) logits[v] += static_cast<double>(x[i * width + c]) * weight[v * width + c];
        total += std::exp(logits[v] *= scale);
      }
      each[i] = std::log(total) - logits[targets[i]];
      loss += each[i] / counted;
      for (int64_t v = 0; v < vocabulary; v++) {
        const double d = (std::exp(logits[v]) / total - (v == targets[i])) * scale / counted;
        for (int64_t c = 0; c < width; c++) {
          dx[i * width + c] += d * weight[v * width + c];
          dWeight[v * width + c] += d * x[i * width + c];
        }
      }
    }
    for (bool bf16 : {false, true}) {
      const double tolerance = bf16 ? 2e-2 : 2e-6;
      const auto found = call("linearCrossEntropy", {x, weight, targets, room(1), room(sizeOf(x)), room(sizeOf(weight)), tokens,
                                                     width, vocabulary, scale, ignore, bf16});
      CHECK_NEAR(found[0], Doubles{loss}, tolerance);
      CHECK_NEAR(found[1], dx, tolerance);
      CHECK_NEAR(found[2], dWeight, tolerance);
      CHECK_NEAR(call("linearCrossEntropy", {x, weight, targets, room(1), nullptr, nullptr, tokens, width, vocabulary, scale,
                                             ignore, bf16})[0],
                 Doubles{loss}, tolerance);
      CHECK_NEAR(call("linearTokenLosses", {x, weight, targets, room(tokens), tokens, width, vocabulary, scale, ignore, bf16})[0],
                 each, tolerance);
    }
  }
  const vector<float> x = {1, -2, 3}, factor = {0.5f};
  CHECK_NEAR(call("scaleByNumber", {x, factor, room(3), 3})[0], (Doubles{0.5, -1, 1.5}), 1e-9);
}
KERNEL_TEST(learnsToPredict, "cross-entropy over the vocabulary, its gradients, and the loss of each token")

}  // namespace
}  // namespace mm::tests
