// Views of tensors as the host describes them: a shape, and strides in elements of two operands (0 repeats).
#pragma once
#include "../cc/kernel.h"
#include "launch.h"

namespace mm::cuda {

struct View {
  static constexpr int mostAxes = 12;
  int rank;
  int32_t shape[mostAxes], first[mostAxes], second[mostAxes];

  /** From `layout`: shape, strides of the first operand, strides of the second. Declines more axes than there is room for. */
  View(const int32_t* layout, int64_t axes) : rank(static_cast<int>(axes)) {
    if (axes > mostAxes) throw Declined{};
    for (int axis = 0; axis < rank; axis++) {
      shape[axis] = layout[axis];
      first[axis] = layout[rank + axis];
      second[axis] = layout[2 * rank + axis];
    }
  }

  int64_t count() const {
    int64_t elements = 1;
    for (int axis = 0; axis < rank; axis++) elements *= shape[axis];
    return elements;
  }
  /** Where the element of that index lies in both operands. */
  MM_DEVICE void locate(int64_t index, int64_t& inFirst, int64_t& inSecond) const {
    inFirst = inSecond = 0;
    for (int axis = rank - 1; axis > 0; axis--) {
      const int64_t rest = index / shape[axis], coordinate = index - rest * shape[axis];
      inFirst += coordinate * first[axis];
      inSecond += coordinate * second[axis];
      index = rest;
    }
    inFirst += index * first[0];
    inSecond += index * second[0];
  }
};

}  // namespace mm::cuda
