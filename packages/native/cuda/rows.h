// Work on rows, and sums over rows. Sums are cut into blocks of rows by the shape alone and added up in order: a run gives
// the same bits again. They are kept in double precision, as the CPU's are where terms cancel: these kernels wait for memory.
#pragma once
#include "launch.h"

namespace mm::cuda {

/** Rows that a block adds up before the parts are added, at least; very many rows make larger parts, not more of them. */
constexpr int64_t fewestRows = 64, mostParts = 4096;
constexpr int partColumns = 32, partRows = 8;  // threads of a block that adds up rows

/** parts[part][column] = Σ of term(row, column) over the part's rows. */
template <class Term>
__global__ void sumParts(Term term, double* parts, int64_t rows, int64_t columns, int64_t rowsPerPart) {
  double* sums = sharedMemory<double>();  // [partRows][partColumns]
  const int across = static_cast<int>(threadIdx.x) % partColumns, down = static_cast<int>(threadIdx.x) / partColumns;
  const int64_t column = static_cast<int64_t>(blockIdx.x) * partColumns + across;
  const int64_t part = blockIdx.y, end = rows < (part + 1) * rowsPerPart ? rows : (part + 1) * rowsPerPart;
  double sum = 0;
  if (column < columns)
    for (int64_t row = part * rowsPerPart + down; row < end; row += partRows) sum += term(row, column);
  sums[down * partColumns + across] = sum;
  __syncthreads();
  if (down != 0 || column >= columns) return;
  for (int i = 1; i < partRows; i++) sum += sums[i * partColumns + across];
  parts[part * columns + column] = sum;
}

/** total[column] = Σ of parts[part][column]. */
template <class Number>
__global__ void addParts(const Number* parts, float* total, int64_t partCount, int64_t columns) {
  forThread(columns, [&](int64_t column) {
    double sum = 0;
    for (int64_t part = 0; part < partCount; part++) sum += parts[part * columns + column];
    total[column] = static_cast<float>(sum);
  });
}

/** total[column] = Σ over rows of term(row, column). `term` is an object that is called on the GPU. */
template <class Term>
void sumRows(Term term, float* total, int64_t rows, int64_t columns) {
  const int64_t rowsPerPart = std::max(fewestRows, divideUp(rows, mostParts));
  const int64_t parts = std::max<int64_t>(1, divideUp(rows, rowsPerPart));
  DeviceScratch<double> sums(parts * columns);
  launch(sumParts<Term>, dim3(static_cast<unsigned>(divideUp(columns, partColumns)), static_cast<unsigned>(parts)),
         dim3(partColumns * partRows), partColumns * partRows * sizeof(double), term, sums, rows, columns,
         rowsPerPart);
  launch(addParts<double>, blocksFor(columns), dim3(blockThreads), 0, sums, total, parts, columns);
}

/** The number at (row, column) of a matrix. */
struct MatrixTerm {
  const float* data;
  int64_t columns;
  MM_DEVICE float operator()(int64_t row, int64_t column) const { return data[row * columns + column]; }
};

}  // namespace mm::cuda
