/** Writes consecutive rows of a table in place: store[b, at + t] = rows[b, t]. What a growing memory stores, it stores so. */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "./kernels.js";
import { expectShapes } from "./shapes.js";

/**
 * No gradient. Tensors that share the store's data change with it, so nothing may be shared that is read later.
 *
 * @param store [B, capacity, C]
 * @param at first row written
 * @param rows [B, T, C], at + T <= capacity
 */
export function writeRows(store: tf.Variable<tf.Rank.R3>, at: number, rows: tf.Tensor3D): void {
  expectShapes("writeRows", { store: [store, ["B", "capacity", "C"]], rows: [rows, ["B", "T", "C"]] });
  if (!(at >= 0 && at + rows.shape[1] <= store.shape[1]))
    throw new Error(`writeRows: expected rows within 0 … ${store.shape[1]}, found ${at} … ${at + rows.shape[1]}`);
  if (hasKernel("WriteRows")) runKernel("WriteRows", { store, rows }, { at });
  else writeRowsPlain(store, at, rows);
}

export function writeRowsPlain(store: tf.Variable<tf.Rank.R3>, at: number, rows: tf.Tensor3D): void {
  tf.tidy(() => {
    const end = at + rows.shape[1];
    const before = tf.slice(store, [0, 0, 0], [-1, at, -1]);
    const after = tf.slice(store, [0, end, 0], [-1, store.shape[1] - end, -1]);
    store.assign(tf.concat([before, rows, after], 1));
  });
}
