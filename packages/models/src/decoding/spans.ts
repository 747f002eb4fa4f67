/**
 * Several texts in one tensor: the new rows of all of them side by side, [1, rows, width]. What looks at one row at a time
 * (linear maps, norms, learned memories) sees them all at once; what has a past is done text by text.
 */
import * as tf from "@tensorflow/tfjs";

export class Spans {
  constructor(
    /** New rows of each text. */
    readonly counts: readonly number[],
    /** Rows that each text had before. */
    readonly past: readonly number[],
  ) {}

  /** The rows of each text: [1, count, width]. */
  split(x: tf.Tensor3D): tf.Tensor3D[] {
    if (this.counts.length === 1) return [x];
    let at = 0;
    return this.counts.map((count) => {
      const rows = tf.slice(x, [0, at, 0], [1, count, x.shape[2]]);
      at += count;
      return rows;
    });
  }

  join(parts: tf.Tensor3D[]): tf.Tensor3D {
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
  }

  /** The last row of each text: [1, texts, width]. */
  last(x: tf.Tensor3D): tf.Tensor3D {
    if (this.counts.every((count) => count === 1)) return x;
    return this.join(this.split(x).map((rows) => lastRows(rows, 1)));
  }
}

/** The last `count` rows, or all where there are fewer: [1, count, width]. */
export function lastRows(x: tf.Tensor3D, count: number): tf.Tensor3D {
  const rows = x.shape[1];
  if (rows <= count) return x;
  return tf.slice(x, [0, rows - count, 0], [1, count, x.shape[2]]);
}
