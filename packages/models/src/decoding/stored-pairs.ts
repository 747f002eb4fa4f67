/**
 * The (key, value) pairs that a text has stored, one row each: two tables that grow by whole steps, so that most tokens
 * allocate nothing, and of which only the newest rows are kept where a memory looks back no farther than that.
 */
import { causalRead, writeRows } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";

/** Rows by which the tables grow. */
const STEP = 64;

type Table = tf.Variable<tf.Rank.R3>;

export class StoredPairs {
  #keys: Table | undefined;
  #values: Table | undefined;
  /** Position of the first row kept. */
  #first = 0;
  /** Position after the last row. */
  #end = 0;

  /** @param window how far back a query reads */
  constructor(private readonly window: number) {}

  /**
   * Stores pairs at the text's positions `at`, `at` + 1, …; what was there is replaced.
   *
   * @param keys [1, rows, width]
   * @param values [1, rows', width], which may start earlier: `valuesAt`
   */
  store(at: number, keys: tf.Tensor3D, values: tf.Tensor3D, valuesAt = at): void {
    const end = at + keys.shape[1];
    this.#reserve(end, keys.shape[2], at);
    writeRows(this.#keys!, at - this.#first, keys);
    const skipped = Math.max(0, this.#first - valuesAt);
    writeRows(this.#values!, valuesAt + skipped - this.#first, skipped === 0 ? values : rowsFrom(values, skipped));
    this.#end = end;
  }

  /** The read of queries [1, rows, width] that stand at position `at`, at + 1, …: [1, rows, width]. */
  read(queries: tf.Tensor3D, at: number, options: { heads: number; nearest: number; scale?: number }): tf.Tensor3D {
    const bound = Number.isFinite(this.window) ? { farthest: this.window } : {};
    return causalRead(queries, this.#keys!, this.#values!, { ...options, ...bound, offset: at - this.#first });
  }

  fork(): StoredPairs {
    const copy = new StoredPairs(this.window);
    if (this.#keys === undefined) return copy;
    copy.#keys = tableOf(() => tf.mul(this.#keys!, 1));
    copy.#values = tableOf(() => tf.mul(this.#values!, 1));
    copy.#first = this.#first;
    copy.#end = this.#end;
    return copy;
  }

  dispose(): void {
    this.#keys?.dispose();
    this.#values?.dispose();
    this.#keys = undefined;
    this.#values = undefined;
  }

  /** Makes room up to position `end`; rows that no query from `at` on reads may go. */
  #reserve(end: number, width: number, at: number): void {
    const capacity = this.#keys?.shape[1] ?? 0;
    if (end - this.#first <= capacity) return;
    const first = Math.max(this.#first, at - this.window);
    const rows = (Math.floor((end - first) / STEP) + 1) * STEP;
    this.#keys = this.#regrown(this.#keys, first, rows, width);
    this.#values = this.#regrown(this.#values, first, rows, width);
    this.#first = first;
  }

  #regrown(table: Table | undefined, first: number, rows: number, width: number): Table {
    const kept = Math.max(0, this.#end - first);
    const grown = tableOf(() => {
      const room = tf.zeros<tf.Rank.R3>([1, rows - kept, width]);
      if (table === undefined || kept === 0) return room;
      return tf.concat([tf.slice(table, [0, first - this.#first, 0], [1, kept, width]), room], 1);
    });
    table?.dispose();
    return grown;
  }
}

/** A variable of its own data, which later writes change. */
function tableOf(content: () => tf.Tensor3D): Table {
  const initial = tf.tidy(content);
  const table = tf.variable(initial, false);
  initial.dispose();
  return table;
}

function rowsFrom(x: tf.Tensor3D, first: number): tf.Tensor3D {
  return tf.slice(x, [0, first, 0], [1, x.shape[1] - first, x.shape[2]]);
}
