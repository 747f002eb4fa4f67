#pragma once

namespace mm::tests {

/** Runs every KERNEL_TEST on every instruction set, and checks that each kernel of the addon was called. */
void runKernelTests();

}  // namespace mm::tests
