// A C++ test is a function that calls check(); TEST enters it into a list that build/tests runs from top to bottom.
#pragma once

namespace mm::tests {

struct Test {
  const char* name;
  int level;
  void (*run)();
};

/** Enters a test when the program starts. */
struct Entry {
  Entry(const char* name, int level, void (*run)());
};

/** Counts a failure and says where. */
void fail(const char* file, int line, const char* condition);

#define CHECK(condition) \
  if (!(condition)) ::mm::tests::fail(__FILE__, __LINE__, #condition)

#ifdef MM_ISA
#define STRING(x) #x
#define NAME_OF(isa) STRING(isa)
/** Enters a test of code that every instruction set compiles anew. */
#define TEST(function, title) static tests::Entry entry_##function(NAME_OF(MM_ISA) ": " title, MM_LEVEL, function);
#endif

/** Numbers between -1 and 1 that repeat for a seed. */
class Numbers {
 public:
  explicit Numbers(unsigned seed) : state_(seed * 2654435761u + 1) {}
  float next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<int>(state_)) / 2147483648.f;
  }

 private:
  unsigned state_;
};

}  // namespace mm::tests
