import { normals } from "../../normals.js";
import type { Initial } from "../../parameters.js";

/** A matrix [rows, columns ≤ rows] with orthonormal columns, uniformly distributed: Gram–Schmidt on normal numbers. */
export function orthonormalColumns(rows: number, columns: number): Initial {
  return (rng) => {
    const drawn = normals(rng.key, rows * columns, 1);
    const basis: Float64Array[] = [];
    for (let column = 0; column < columns; column++) {
      const vector = Float64Array.from(drawn.subarray(column * rows, (column + 1) * rows));
      for (const other of basis) {
        const along = dot(vector, other);
        for (let i = 0; i < rows; i++) vector[i]! -= along * other[i]!;
      }
      const norm = Math.sqrt(dot(vector, vector));
      basis.push(vector.map((x) => x / norm));
    }
    return Float32Array.from({ length: rows * columns }, (_, i) => basis[i % columns]![Math.floor(i / columns)]!);
  };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
