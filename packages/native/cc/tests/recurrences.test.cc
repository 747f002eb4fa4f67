// Recurrences, the long convolution and the optimizer, against their definitions in double precision.
#include <array>

#include "calls.h"

namespace mm::tests {
namespace {

void checkGradients(const Definition& f, const vector<vector<float>>& inputs, const vector<float>& dy,
                    const vector<vector<float>>& found, double tolerance = 1e-5) {
  for (size_t which = 0; which < found.size(); which++) CHECK_NEAR(found[which], gradient(f, inputs, which, dy), tolerance);
}

void recurs() {
  for (const auto& shape : {std::array<int64_t, 3>{1, 1, 1}, {2, 6, 5}, {2, 3, 70}})
    for (bool constant : {false, true})
      for (bool started : {false, true}) {
        const int64_t batch = shape[0], time = shape[1], width = shape[2];
        const int64_t size = batch * time * width;
        Numbers numbers(static_cast<unsigned>(size + constant));
        const vector<vector<float>> inputs = {randomNumbers(numbers, constant ? width : size), randomNumbers(numbers, size),
                                              randomNumbers(numbers, batch * width)};
        const Definition f = [&](const vector<Doubles>& all) {
          Doubles y(size);
          for (int64_t b = 0; b < batch; b++)
            for (int64_t c = 0; c < width; c++) {
              double state = started ? all[2][b * width + c] : 0;
              for (int64_t t = 0; t < time; t++) {
                const int64_t at = (b * time + t) * width + c;
                y[at] = state = all[0][constant ? c : at] * state + all[1][at];
              }
            }
          return y;
        };
        const Value initial = started ? Value(inputs[2]) : nullptr;
        const auto y = call("linearRecurrence", {inputs[0], inputs[1], initial, room(size), batch, time, width, constant});
        CHECK_NEAR(y[0], f(inDouble(inputs)), 2e-6);
        const auto dy = randomNumbers(numbers, size);
        const Value dInitial = started ? room(batch * width) : nullptr;
        const Value dDecay = room(constant ? width : size);
        checkGradients(f, inputs, dy,
                       call("linearRecurrenceGrad", {inputs[0], y[0], initial, dy, dDecay, room(size), dInitial, batch, time,
                                                     width, constant}));
      }
}
KERNEL_TEST(recurs, "linear recurrences and their gradients")

void convolves() {
  for (const auto& shape :
       {std::array<int64_t, 4>{1, 1, 1, 1}, {2, 5, 3, 9}, {1, 19, 18, 4}, {3, 8, 5, 8}}) {
    const int64_t batch = shape[0], time = shape[1], channels = shape[2], taps = shape[3];
    const int64_t size = batch * time * channels;
    Numbers numbers(static_cast<unsigned>(size + taps));
    const vector<vector<float>> inputs = {randomNumbers(numbers, size), randomNumbers(numbers, channels * taps)};
    const Definition f = [&](const vector<Doubles>& all) {
      Doubles y(size);
      for (int64_t b = 0; b < batch; b++)
        for (int64_t t = 0; t < time; t++)
          for (int64_t c = 0; c < channels; c++)
            for (int64_t l = 0; l < taps && l <= t; l++)
              y[(b * time + t) * channels + c] += all[1][c * taps + l] * all[0][(b * time + t - l) * channels + c];
      return y;
    };
    CHECK_NEAR(call("causalConvolution", {inputs[0], inputs[1], room(size), batch, time, channels, taps})[0],
               f(inDouble(inputs)), 2e-6);
    const auto dy = randomNumbers(numbers, size);
    checkGradients(f, inputs, dy,
                   call("causalConvolutionGrad", {inputs[0], inputs[1], dy, room(size), room(channels * taps), batch, time,
                                                  channels, taps}));
  }
}
KERNEL_TEST(convolves, "causal convolutions and their gradients")

void scans() {
  for (const auto& shape : {std::array<int64_t, 4>{1, 1, 1, 1}, {2, 4, 3, 2}, {2, 3, 18, 5}}) {
    const int64_t batch = shape[0], time = shape[1], channels = shape[2], size = shape[3];
    const int64_t count = batch * time * channels, states = batch * time * size;
    Numbers numbers(static_cast<unsigned>(count + size));
    vector<vector<float>> inputs = {randomNumbers(numbers, count), randomNumbers(numbers, count),
                                    randomNumbers(numbers, channels * size), randomNumbers(numbers, states),
                                    randomNumbers(numbers, states)};
    for (float& delta : inputs[1]) delta = 0.6f + 0.5f * delta;
    for (float& rate : inputs[2]) rate = -1.1f + rate;
    const Definition f = [&](const vector<Doubles>& all) {
      Doubles y(count);
      for (int64_t b = 0; b < batch; b++)
        for (int64_t c = 0; c < channels; c++)
          for (int64_t n = 0; n < size; n++) {
            double state = 0;
            for (int64_t t = 0; t < time; t++) {
              const int64_t step = b * time + t, at = step * channels + c;
              state = std::exp(all[1][at] * all[2][c * size + n]) * state + all[1][at] * all[0][at] * all[3][step * size + n];
              y[at] += state * all[4][step * size + n];
            }
          }
      return y;
    };
    CHECK_NEAR(call("selectiveScan", {inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], room(count), batch, time, channels,
                                      size})[0],
               f(inDouble(inputs)), 2e-6);
    const auto dy = randomNumbers(numbers, count);
    checkGradients(f, inputs, dy,
                   call("selectiveScanGrad", {inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], dy, room(count), room(count),
                                              room(channels * size), room(states), room(states), batch, time, channels, size}));
  }
}
KERNEL_TEST(scans, "selective scans and their gradients")

void averages() {
  for (const auto& shape : {std::array<int64_t, 3>{1, 1, 1}, {2, 9, 3}, {1, 13, 19}})
    for (bool growing : {false, true}) {
      const int64_t batch = shape[0], time = shape[1], channels = shape[2], count = batch * time * channels;
      Numbers numbers(static_cast<unsigned>(count + growing));
      vector<vector<float>> inputs = {randomNumbers(numbers, count), randomNumbers(numbers, count),
                                      randomNumbers(numbers, channels), randomNumbers(numbers, channels)};
      for (float& rate : inputs[2]) rate = std::exp(rate) / 2;
      const Definition f = [&](const vector<Doubles>& all) {
        Doubles y(count);
        for (int64_t b = 0; b < batch; b++)
          for (int64_t c = 0; c < channels; c++)
            for (int64_t t = 0; t < time; t++) {
              double top = 0, bottom = 0;
              for (int64_t s = 0; s <= t; s++) {
                const int64_t at = (b * time + s) * channels + c;
                const double age = static_cast<double>(t - 1 - s) * all[2][c];
                const double weight = std::exp(all[0][at] + (s == t ? all[3][c] : growing ? age : -age));
                top += weight * all[1][at];
                bottom += weight;
              }
              y[(b * time + t) * channels + c] = top / bottom;
            }
        return y;
      };
      CHECK_NEAR(call("weightedMean", {inputs[0], inputs[1], inputs[2], inputs[3], room(count), batch, time, channels, growing})[0],
                 f(inDouble(inputs)), 5e-6);
      const auto dy = randomNumbers(numbers, count);
      checkGradients(f, inputs, dy,
                     call("weightedMeanGrad", {inputs[0], inputs[1], inputs[2], inputs[3], dy, room(count), room(count),
                                               room(channels), room(channels), batch, time, channels, growing}),
                     2e-5);
    }
}
KERNEL_TEST(averages, "weighted means and their gradients")

void remembers() {
  for (const auto& shape : {std::array<int64_t, 5>{1, 1, 1, 1, 1}, {2, 2, 7, 3, 5}, {1, 1, 9, 20, 37}, {1, 2, 5, 16, 33}})
    for (bool gated : {false, true}) {
      const auto [batch, heads, time, width, wide] = shape;
      const int64_t rows = batch * heads * time;
      Numbers numbers(static_cast<unsigned>(rows * width + gated));
      vector<vector<float>> inputs = {randomNumbers(numbers, rows * width), randomNumbers(numbers, rows * width),
                                      randomNumbers(numbers, rows * wide),
                                      randomNumbers(numbers, gated ? rows * width : heads)};
      for (float& rate : inputs[3]) rate = gated ? -std::abs(rate) : 0.9f - 0.1f * std::abs(rate);
      const auto definition = [&, heads = heads, time = time, width = width, wide = wide](const vector<Doubles>& all) {
        Doubles y(rows * wide);
        for (int64_t n = 0; n < rows / time; n++)
          for (int64_t i = 0; i < width; i++)
            for (int64_t e = 0; e < wide; e++) {
              double state = 0;
              for (int64_t t = 0; t < time; t++) {
                const int64_t row = n * time + t, at = row * width + i;
                const double rate = gated ? std::exp(all[3][at]) : static_cast<double>(inputs[3][n % heads]);
                state = rate * state + all[1][at] * all[2][row * wide + e];
                y[row * wide + e] += all[0][at] * state;
              }
            }
        return y;
      };
      const Definition f = definition;
      const char* name = gated ? "gatedRead" : "decayingRead";
      CHECK_NEAR(call(name, {inputs[0], inputs[1], inputs[2], inputs[3], room(rows * wide), batch, heads, time, width, wide})[0],
                 f(inDouble(inputs)), 5e-6);
      const auto dy = randomNumbers(numbers, rows * wide);
      if (gated)
        checkGradients(f, inputs, dy,
                       call("gatedReadGrad", {inputs[0], inputs[1], inputs[2], inputs[3], dy, room(rows * width),
                                              room(rows * width), room(rows * wide), room(rows * width), batch, heads, time,
                                              width, wide}),
                       2e-5);
      else
        checkGradients(f, inputs, dy,
                       call("decayingReadGrad", {inputs[0], inputs[1], inputs[2], inputs[3], dy, room(rows * width),
                                                 room(rows * width), room(rows * wide), batch, heads, time, width, wide}),
                       2e-5);
    }
}
KERNEL_TEST(remembers, "reads of linear memories and their gradients")

/** Two parameters, one with weight decay and large enough for several tasks; the kernel gets addresses, not arguments. */
void optimises() {
  const double rate = 0.1, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, decay = 0.1, clip = 0.5;
  const int64_t step = 3;
  const vector<int32_t> sizes = {150001, 7};
  const vector<uint8_t> decayed = {1, 0};
  Numbers numbers(5);
  vector<vector<float>> given;  // parameter, gradient, first and second moment of each
  for (int32_t size : sizes)
    for (int which = 0; which < 4; which++) given.push_back(randomNumbers(numbers, size));
  for (size_t which : {3, 7})
    for (float& x : given[which]) x *= x;

  double squares = 0;
  for (size_t which : {1, 5})
    for (float g : given[which]) squares += static_cast<double>(g) * g;
  const double norm = std::sqrt(squares), factor = std::min(1.0, clip / (norm + 1e-6));
  vector<Doubles> expected = inDouble(given);
  for (size_t p = 0; p < sizes.size(); p++)
    for (int32_t i = 0; i < sizes[p]; i++) {
      double &weight = expected[4 * p][i], &first = expected[4 * p + 2][i], &second = expected[4 * p + 3][i];
      const double g = factor * given[4 * p + 1][i];
      first = beta1 * first + (1 - beta1) * g;
      second = beta2 * second + (1 - beta2) * g * g;
      if (decayed[p]) weight *= 1 - rate * decay;
      const double correction1 = 1 - std::pow(beta1, step), correction2 = 1 - std::pow(beta2, step);
      weight -= rate * first / correction1 / (std::sqrt(second / correction2) + epsilon);
    }

  vector<vector<vector<float>>> results;
  for (int threads : {1, 3}) {
    auto& state = results.emplace_back(given);
    vector<uint64_t> addresses;
    for (auto& numbers : state) addresses.push_back(reinterpret_cast<uint64_t>(numbers.data()));
    const float found = callWithThreads(threads, "adamWStep", {addresses, sizes, decayed, room(1), sizes.size(), rate, beta1,
                                                                beta2, epsilon, decay, step, clip})[0][0];
    CHECK(std::fabs(found - norm) < 1e-5 * norm);
  }
  CHECK(results[0] == results[1]);
  for (size_t i = 0; i < given.size(); i++) CHECK_NEAR(results[0][i], expected[i], 1e-5);
}
KERNEL_TEST(optimises, "AdamW with decay and clipping, in place")

}  // namespace
}  // namespace mm::tests
