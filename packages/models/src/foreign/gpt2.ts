/**
 * GPT-2 from nanoGPT (linear weights as (out, in), names as ours) or Hugging Face (as (in, out), with or without the prefix
 * `transformer.`, with buffers of the causal mask).
 */
import { UserError } from "@mm/run";
import type { SafetensorsTensor } from "../safetensors.js";
import type { ImportedWeights, Tensors } from "./import-weights.js";

const PREFIX = "transformer.";
/** Not parameters: the causal mask, and the head, which is the token embedding. */
const LEFT_OUT = /(\.attn\.(bias|masked_bias)$)|(^lm_head\.weight$)/;
const LINEAR = /\.(c_attn|c_proj|c_fc)\.weight$/;
/** Features of a head in all published sizes. */
const HEAD_WIDTH = 64;

export function importGpt2(given: Tensors): ImportedWeights | undefined {
  const named: Record<string, SafetensorsTensor> = {};
  for (const [name, tensor] of Object.entries(given)) {
    if (LEFT_OUT.test(name)) continue;
    named[name.startsWith(PREFIX) ? name : PREFIX + name] = tensor;
  }
  const words = named["transformer.wte.weight"];
  const positions = named["transformer.wpe.weight"];
  const attention = named["transformer.h.0.attn.c_attn.weight"];
  if (words === undefined || positions === undefined || attention === undefined) return undefined;
  const head = given["lm_head.weight"];
  if (head !== undefined && !sameNumbers(head, words)) {
    throw new UserError(
      "Expected a GPT-2 whose output matrix lm_head.weight is its token embedding but found another.",
      {
        hint: "Such a model is no GPT-2; only tied weights can be imported.",
      },
    );
  }
  const [vocabulary, width] = words.shape as [number, number];
  const transposed = attention.shape[0] === width;
  const tensors = Object.fromEntries(
    Object.entries(named).map(([name, tensor]) => [name, transposed && LINEAR.test(name) ? transpose(tensor) : tensor]),
  );
  return {
    config: {
      kind: "gpt2",
      vocabulary,
      width,
      contextLength: positions.shape[0],
      blocks: countBlocks(named, /^transformer\.h\.(\d+)\./),
      heads: Math.max(1, Math.round(width / HEAD_WIDTH)),
      bias: named["transformer.ln_f.bias"] !== undefined,
    },
    tensors,
  };
}

/** The number of blocks by the highest index in the names. */
export function countBlocks(tensors: Tensors, index: RegExp): number {
  return 1 + Math.max(-1, ...Object.keys(tensors).map((name) => Number(index.exec(name)?.[1] ?? -1)));
}

export function sameNumbers(a: SafetensorsTensor, b: SafetensorsTensor): boolean {
  return a.data.length === b.data.length && a.data.every((value, i) => value === b.data[i]);
}

function transpose({ shape, data }: SafetensorsTensor): SafetensorsTensor {
  const [rows, columns] = shape as [number, number];
  const from = data as Float32Array;
  const to = new Float32Array(from.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column]!;
  return { shape: [columns, rows], data: to };
}
