// The kernels of TF.js's own functions. Their numbers are tested from JavaScript, by TF.js's op tests among others; here
// they run over sizes with tails and over several threads, for the sanitizers, and must give the same bits for any number
// of threads.
#include <array>
#include <string>

#include "../kernel.h"
#include "calls.h"

namespace mm::tests {
namespace {

constexpr int64_t many = 40001;  // three tasks, and a tail

vector<float> floats(int64_t count, unsigned seed = 1) {
  Numbers numbers(seed);
  auto all = randomNumbers(numbers, count);
  for (float& x : all) x *= 5;
  const float awkward[] = {0.f, -0.f, INFINITY, -INFINITY, NAN, 1e-40f, 3e38f, -2.5f};
  for (int64_t i = 0; i < std::min<int64_t>(count, 8); i++) all[count - 1 - i] = awkward[i];
  return all;
}
vector<int32_t> integers(int64_t count, unsigned seed = 1) {
  Numbers numbers(seed);
  vector<int32_t> all(count);
  for (int32_t& x : all) x = static_cast<int32_t>(numbers.next() * 20);
  const int32_t awkward[] = {0, -1, INT32_MAX, INT32_MIN};
  for (int64_t i = 0; i < std::min<int64_t>(count, 4); i++) all[count - 1 - i] = awkward[i];
  return all;
}
vector<uint8_t> bools(int64_t count) {
  vector<uint8_t> all(count);
  for (int64_t i = 0; i < count; i++) all[i] = i % 3 == 0;
  return all;
}

/** Numbers of the type that ends a kernel's name, or that a cast begins with. */
Value numbersFor(const std::string& name, int64_t count, unsigned seed = 1) {
  const auto ends = [&](const char* type) { return name.ends_with(type) || name.starts_with(std::string("cast") + type + "To"); };
  if (name.starts_with("cast") ? ends("Bool") && !name.starts_with("castFloat") && !name.starts_with("castInt") : ends("Bool"))
    return bools(count);
  if (name.starts_with("castInt") || (!name.starts_with("cast") && ends("Int"))) return integers(count, seed);
  return floats(count, seed);
}

vector<const Kernel*> kernelsWith(const char* parameters) {
  struct Wanted {
    std::string parameters;
    vector<const Kernel*> found;
  } wanted{parameters, {}};
  visitKernels(
      [](const Kernel& kernel, void* context) {
        auto& wanted = *static_cast<Wanted*>(context);
        if (wanted.parameters == kernel.parameters) wanted.found.push_back(&kernel);
      },
      &wanted);
  return wanted.found;
}
bool isTyped(const std::string& name) {
  return name.ends_with("Float") || name.ends_with("Int") || name.ends_with("Bool");
}

void mapsElements() {
  for (const Kernel* kernel : kernelsWith("ion"))
    if (isTyped(kernel->name))
      for (int64_t count : {int64_t{1}, int64_t{13}, many}) call(kernel->name, {numbersFor(kernel->name, count), room(count), count});
  for (const char* name : {"clipFloat", "stepFloat", "leakyReluFloat"}) call(name, {floats(many), room(many), many, -1.f, 2.f});
  call("fillFloat", {room(many), many, 2.5f});
  call("fillInt", {room<int32_t>(many), many, -7});
  call("fillBool", {room<uint8_t>(many), many, true});
  call("selectWords", {bools(many), floats(many), floats(many, 2), room(many), many, 1});
  call("selectWords", {bools(7), floats(35), floats(35, 2), room(35), 35, 5});
  call("selectBytes", {bools(many), bools(many), bools(many), room<uint8_t>(many), many, 1});
}
KERNEL_TEST(mapsElements, "functions of one element")

void combinesElements() {
  for (const Kernel* kernel : kernelsWith("iioin")) {
    if (!isTyped(kernel->name)) continue;
    // whole rows; a row with a column; a long row with one number
    const auto combine = [&](int64_t aCount, int64_t bCount, int64_t count, const vector<int32_t>& layout) {
      call(kernel->name, {numbersFor(kernel->name, aCount, 1), numbersFor(kernel->name, bCount, 2), room(count), layout,
                          layout.size() / 3});
    };
    combine(many, many, many, {static_cast<int32_t>(many), 1, 1});
    combine(7, 5, 35, {5, 7, 0, 1, 1, 0});
    combine(300 * 100, 300, 300 * 100, {300, 100, 100, 1, 1, 0});
    combine(many, 1, many, {static_cast<int32_t>(many), 1, 0});
  }
}
KERNEL_TEST(combinesElements, "functions of two elements, with broadcasting")

void reduces() {
  const std::array<int64_t, 3> shapes[] = {{1, 1, 1}, {3, 7, 5}, {2, many, 1}, {1, 300, 130}};
  for (const auto& shape : shapes) {
    const int64_t outer = shape[0], length = shape[1], inner = shape[2];
    const int64_t count = outer * length * inner, left = outer * inner;
    for (const Kernel* kernel : kernelsWith("ionnn"))
      if (isTyped(kernel->name))
        call(kernel->name, {numbersFor(kernel->name, count), room(left), outer, length, inner});
    for (const char* name : {"cumsumFloat", "cumsumInt", "cumprodFloat", "cumprodInt"})
      for (bool exclusive : {false, true})
        call(name, {numbersFor(name, count), room(count), outer, length, inner, exclusive, !exclusive});
    call("softmax", {floats(count), room(count), outer * inner, length});
  }
}
KERNEL_TEST(reduces, "reductions, running sums and softmax")

void moves() {
  const int64_t rows = 70, columns = 333;
  for (const vector<int32_t>& layout : {vector<int32_t>{70, 333, 333, 1, 1, 70}, {333, 70, 1, 333, 70, 1}})
    call("copyWords", {floats(rows * columns), 0, room(rows * columns), 0, layout, 2});
  call("copyWords", {floats(many), many - 1, room(many), 0, vector<int32_t>{static_cast<int32_t>(many), -1, 1}, 1});
  call("copyBytes", {bools(rows * columns), 0, room<uint8_t>(rows * columns), 0, vector<int32_t>{333, 70, 1, 333, 70, 1}, 2});
  const vector<int32_t> indices = {4, 0, 4, 2};
  call("gather", {floats(2 * 5 * 1000), indices, room(2 * 2 * 1000), 2, 1, 5, 2, 4 * 1000});
  call("unsortedSegmentSum", {floats(4 * 130), vector<int32_t>{1, 7, 1, -1}, room(3 * 130), 4, 130, 3});
  call("oneHot", {vector<int32_t>{1, 5, -1}, room(3 * 3), 3, 3, 1.f, 0.f});
}
KERNEL_TEST(moves, "copies between views, gathering and scattering")

void multiplies() {
  for (const auto& shape : {std::array<int64_t, 4>{1, 1, 1, 1}, {3, 17, 33, 5}, {20, 20, 30, 40}, {2, 70, 90, 50}})
    for (int flags = 0; flags < 8; flags++) {
      const int64_t batch = shape[0], m = shape[1], n = shape[2], k = shape[3];
      vector<int32_t> each(batch), first(batch);
      for (int64_t i = 0; i < batch; i++) each[i] = static_cast<int32_t>(i);
      Numbers numbers(static_cast<unsigned>(m));
      call("matMul", {randomNumbers(numbers, batch * m * k), randomNumbers(numbers, k * n), randomNumbers(numbers, n),
                      room(batch * m * n), each, first, batch, m, n, k, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0});
    }
}
KERNEL_TEST(multiplies, "batched products")

/** X_k = Σ_j x_j e^{-2πi jk/n} */
void transforms() {
  for (int64_t n : {1, 2, 8, 3, 30}) {
    const int64_t rows = 5;
    Numbers numbers(static_cast<unsigned>(n));
    const auto real = randomNumbers(numbers, rows * n), imaginary = randomNumbers(numbers, rows * n);
    Doubles expectedReal(rows * n), expectedImaginary(rows * n);
    for (int64_t row = 0; row < rows; row++)
      for (int64_t k = 0; k < n; k++)
        for (int64_t j = 0; j < n; j++) {
          const double angle = -2 * M_PI * static_cast<double>(j * k % n) / static_cast<double>(n);
          const double x = real[row * n + j], y = imaginary[row * n + j];
          expectedReal[row * n + k] += x * std::cos(angle) - y * std::sin(angle);
          expectedImaginary[row * n + k] += x * std::sin(angle) + y * std::cos(angle);
        }
    const auto found = call("fourierTransform", {real, imaginary, room(rows * n), room(rows * n), rows, n, false});
    CHECK_NEAR(found[0], expectedReal, 1e-6);
    CHECK_NEAR(found[1], expectedImaginary, 1e-6);
    const auto back = call("fourierTransform", {found[0], found[1], room(rows * n), room(rows * n), rows, n, true});
    CHECK_NEAR(back[0], inDouble({real})[0], 1e-6);
    CHECK_NEAR(back[1], inDouble({imaginary})[0], 1e-6);
  }
}
KERNEL_TEST(transforms, "Fourier transforms of any length, and back")

}  // namespace
}  // namespace mm::tests
