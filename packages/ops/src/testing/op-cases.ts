/**
 * One list of cases for every function of this package: inputs, the function, its plain definition. The same list tests
 * values, gradients and leaks on every backend (`compare.ts`), so a new backend is tested by naming it.
 */
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import * as ops from "../index.js";

export interface Values {
  readonly shape: number[];
  readonly values: Float32Array;
}

export interface OpCase {
  readonly name: string;
  /** Float32 inputs, all of which get gradients. */
  readonly inputs: Record<string, Values>;
  run(inputs: Record<string, tf.Tensor>): tf.Tensor;
  plain(inputs: Record<string, tf.Tensor>): tf.Tensor;
  /** Greatest error relative to the largest entry; 2e-5 for values and ten times that for gradients when not given. */
  readonly tolerance?: number;
  /** False where there is no gradient to compare. */
  readonly differentiable?: boolean;
}

const rng = Rng.fromSeed(20240511);

function normal(name: string, shape: number[], deviation = 1): Values {
  return { shape, values: rng.fork(name).normals(tf.util.sizeFromShape(shape), deviation) };
}

function uniform(name: string, shape: number[], low: number, high: number): Values {
  return { shape, values: rng.fork(name).uniforms(tf.util.sizeFromShape(shape), low, high) };
}

function integers(name: string, shape: number[], end: number): tf.Tensor {
  const draw = rng.fork(name);
  const values = Int32Array.from({ length: tf.util.sizeFromShape(shape) }, () => draw.integer(0, end));
  return tf.tensor(values, shape, "int32");
}

/** Sets some entries, for the awkward values. */
function with_(values: Values, change: (entries: Float32Array) => void): Values {
  const entries = values.values.slice();
  change(entries);
  return { shape: values.shape, values: entries };
}

const key = [0x12345678, 0x9abcdef0] as const;
const dropped = (rate: number): ops.Dropout => ({ rate, key });

/** A case from a function and its definition that take the same arguments. */
function opCase<Names extends string>(
  name: string,
  inputs: Record<Names, Values>,
  run: (inputs: Record<Names, never>) => tf.Tensor,
  plain: (inputs: Record<Names, never>) => tf.Tensor,
  options: { tolerance?: number; differentiable?: boolean } = {},
): OpCase {
  return { name, inputs, run, plain, ...options } as unknown as OpCase;
}

/** Sizes that trip kernels up: one token, one sequence, one head, widths that fill no vector, more than one block. */
const sequences = [
  { batch: 2, time: 5, heads: 2, depth: 3 },
  { batch: 1, time: 1, heads: 1, depth: 1 },
  { batch: 1, time: 2, heads: 4, depth: 1 },
  { batch: 3, time: 17, heads: 1, depth: 16 },
  { batch: 1, time: 133, heads: 2, depth: 5 },
];

function label({ batch, time, heads, depth }: (typeof sequences)[number]): string {
  return `batch ${batch}, time ${time}, heads ${heads}, depth ${depth}`;
}

const linearCases = [
  [7, 3, 5],
  [1, 1, 1],
  [33, 16, 17],
].flatMap(([rows, input, output]) => {
  const inputs = {
    x: normal("x", [rows!, input!]),
    weight: normal("weight", [output!, input!]),
    bias: normal("bias", [output!]),
  };
  const { bias: _, ...unbiased } = inputs;
  return [
    opCase(
      `linear ${rows}×${input}→${output}`,
      inputs,
      ({ x, weight, bias }) => ops.linear(x, weight, bias),
      ({ x, weight, bias }) => ops.linearPlain(x, weight, bias),
    ),
    opCase(
      `linear ${rows}×${input}→${output} without bias`,
      unbiased,
      ({ x, weight }) => ops.linear(x, weight),
      ({ x, weight }) => ops.linearPlain(x, weight),
    ),
  ];
});

const linearOfAnyRank = opCase(
  "linear of rank 4",
  { x: normal("x", [2, 1, 3, 4]), weight: normal("weight", [5, 4]) },
  ({ x, weight }) => ops.linear(x, weight),
  ({ x, weight }) => ops.linearPlain(x, weight),
);

const layerNormCases = [
  [2, 3, 7],
  [1, 1, 2],
  [5, 1, 64],
].flatMap((shape) => {
  const width = shape[2]!;
  const inputs = { x: normal("x", shape, 3), weight: normal("weight", [width]), bias: normal("bias", [width]) };
  const { bias: _, ...unbiased } = inputs;
  return [
    opCase(
      `layerNorm of [${shape}]`,
      inputs,
      ({ x, weight, bias }) => ops.layerNorm(x, weight, bias),
      ({ x, weight, bias }) => ops.layerNormPlain(x, weight, bias),
      { tolerance: 1e-4 },
    ),
    opCase(
      `layerNorm of [${shape}] without bias`,
      unbiased,
      ({ x, weight }) => ops.layerNorm(x, weight),
      ({ x, weight }) => ops.layerNormPlain(x, weight),
      { tolerance: 1e-4 },
    ),
  ];
});

const extractorCases = sequences.flatMap((size) => {
  const { batch, time, heads, depth } = size;
  const u = normal("u", [batch, time, heads * depth]);
  const rate = uniform("rate", [heads], 0.05, 3);
  const scale = uniform("scale", [heads], 0.5, 3);
  const mix = uniform("mix", [heads], -0.5, 1.5);
  return [
    opCase(
      `leakyAverage, ${label(size)}`,
      { u, rate },
      ({ u, rate }) => ops.leakyAverage(u, rate),
      ({ u, rate }) => ops.leakyAveragePlain(u, rate),
    ),
    opCase(
      `leakyKeys, ${label(size)}`,
      { u, rate, scale },
      ({ u, rate, scale }) => ops.leakyKeys(u, rate, scale),
      ({ u, rate, scale }) => ops.leakyKeysPlain(u, rate, scale),
      { tolerance: 1e-4 },
    ),
    ...[0, 1, 2, 9].map((shift) =>
      opCase(
        `peekValues, shift ${shift}, ${label(size)}`,
        { w: u, mix, scale },
        ({ w, mix, scale }) => ops.peekValues(w, mix, scale, shift),
        ({ w, mix, scale }) => ops.peekValuesPlain(w, mix, scale, shift),
        { tolerance: 1e-4 },
      ),
    ),
    opCase(
      `scaleHeads, ${label(size)}`,
      { x: u, scale },
      ({ x, scale }) => ops.scaleHeads(x, scale),
      ({ x, scale }) => ops.scaleHeadsPlain(x, scale),
    ),
  ];
});

const zeroVectors = [
  opCase(
    "leakyKeys of zeros",
    {
      u: with_(normal("u", [1, 3, 4]), (u) => u.fill(0)),
      rate: uniform("rate", [2], 0.5, 1),
      scale: uniform("scale", [2], 1, 2),
    },
    ({ u, rate, scale }) => ops.leakyKeys(u, rate, scale),
    ({ u, rate, scale }) => ops.leakyKeysPlain(u, rate, scale),
  ),
  opCase(
    "peekValues with nothing to see at the end (mix 0)",
    {
      w: normal("w", [2, 4, 6]),
      mix: with_(normal("mix", [2]), (mix) => mix.fill(0)),
      scale: uniform("scale", [2], 1, 2),
    },
    ({ w, mix, scale }) => ops.peekValues(w, mix, scale, 1),
    ({ w, mix, scale }) => ops.peekValuesPlain(w, mix, scale, 1),
    { tolerance: 1e-4 },
  ),
];

const contextualCases = sequences.flatMap((size) => {
  const { batch, time, heads, depth } = size;
  const shape = [batch, time, heads * depth];
  const inputs = { keys: normal("keys", shape), values: normal("values", shape) };
  return [1, 2].flatMap((shift) =>
    [0, 0.4].map((rate) => {
      const options = { heads, shift, dropout: dropped(rate) };
      return opCase(
        `contextualRead, shift ${shift}, dropout ${rate}, ${label(size)}`,
        inputs,
        ({ keys, values }) => ops.contextualRead(keys, values, options),
        ({ keys, values }) =>
          ops.causalReadPlain(keys, keys, values, { heads, nearest: shift, dropout: options.dropout }),
      );
    }),
  );
});

const causalCases = (
  [
    ["attention", 6, 6, { heads: 2, nearest: 0, scale: 0.5 }],
    ["attention with dropout", 6, 6, { heads: 2, nearest: 0, scale: 0.5, dropout: dropped(0.3) }],
    ["a window", 9, 9, { heads: 1, nearest: 1, farthest: 3 }],
    ["a long window with dropout", 260, 260, { heads: 1, nearest: 2, farthest: 140, dropout: dropped(0.1) }],
    ["queries that come later", 3, 8, { heads: 2, nearest: 1, offset: 5 }],
    ["one later query in a window", 1, 8, { heads: 2, nearest: 0, farthest: 2, offset: 6, dropout: dropped(0.2) }],
    ["queries beyond the keys", 5, 4, { heads: 1, nearest: 0, farthest: 1, offset: 2 }],
    ["nothing to read", 3, 3, { heads: 1, nearest: 4 }],
    ["pairs at a distance", 150, 150, { heads: 1, nearest: 70 }],
    ["pairs between two distances", 150, 150, { heads: 2, nearest: 40, farthest: 90 }],
    ["pairs between two distances, wider heads", 150, 150, { heads: 2, nearest: 40, farthest: 90 }, 12],
    ["wider heads in a window", 200, 200, { heads: 1, nearest: 1, farthest: 31, scale: 0.5 }, 20],
  ] as [string, number, number, ops.CausalReadOptions, number?][]
).map(([name, queryTime, keyTime, options, features = 3]) => {
  const width = features * options.heads;
  return opCase(
    `causalRead: ${name}`,
    {
      queries: normal("queries", [2, queryTime, width]),
      keys: normal("keys", [2, keyTime, width]),
      values: normal("values", [2, keyTime, width]),
    },
    ({ queries, keys, values }) => ops.causalRead(queries, keys, values, options),
    ({ queries, keys, values }) => ops.causalReadPlain(queries, keys, values, options),
  );
});

const sharpReads = [
  opCase(
    "contextualRead with very large scores",
    { keys: normal("keys", [1, 9, 6], 60), values: normal("values", [1, 9, 6]) },
    ({ keys, values }) => ops.contextualRead(keys, values, { heads: 2, shift: 1 }),
    ({ keys, values }) => ops.causalReadPlain(keys, keys, values, { heads: 2, nearest: 1 }),
    { tolerance: 1e-3 },
  ),
  opCase(
    "contextualRead with NaN in the last value, which nobody reads",
    {
      keys: normal("keys", [2, 5, 4]),
      values: with_(normal("values", [2, 5, 4]), (values) => values.fill(Number.NaN, 36, 40)),
    },
    ({ keys, values }) => ops.contextualRead(keys, values, { heads: 2, shift: 1 }),
    ({ keys, values }) => ops.causalReadPlain(keys, keys, values, { heads: 2, nearest: 1 }),
  ),
];

const persistentCases = sequences.flatMap((size) => {
  const { batch, time, heads, depth } = size;
  return [1, 6, 35].flatMap((slots) =>
    [0, 0.4].map((rate) =>
      opCase(
        `persistentRead, slots ${slots}, dropout ${rate}, ${label(size)}`,
        {
          keys: normal("keys", [batch, time, heads * depth], slots === 35 ? 20 : 1),
          slotKeys: normal("slotKeys", [1, heads, slots, depth]),
          slotValues: normal("slotValues", [1, heads, slots, depth]),
        },
        ({ keys, slotKeys, slotValues }) => ops.persistentRead(keys, slotKeys, slotValues, { dropout: dropped(rate) }),
        ({ keys, slotKeys, slotValues }) =>
          ops.persistentReadPlain(keys, slotKeys, slotValues, { dropout: dropped(rate) }),
        slots === 35 ? { tolerance: 2e-4 } : {},
      ),
    ),
  );
});

const dropoutCases = [
  [3, 1],
  [2, 7],
  [5, 40],
].flatMap((shape) => [
  opCase(
    `dropout of [${shape}]`,
    { x: normal("x", shape) },
    ({ x }) => ops.dropout(x, dropped(0.5)),
    ({ x }) => ops.dropoutPlain(x, dropped(0.5)),
  ),
  ...[0, 0.05].map((rate) =>
    opCase(
      `dropoutAdd of [2,${shape}] at rate ${rate}`,
      { residual: normal("residual", [2, ...shape]), x: normal("x", [2, ...shape]) },
      ({ residual, x }) => ops.dropoutAdd(residual, x, dropped(rate)),
      ({ residual, x }) => ops.dropoutAddPlain(residual, x, dropped(rate)),
    ),
  ),
]);

const geluCase = opCase(
  "gelu, also far from zero",
  { x: with_(normal("x", [4, 5], 3), (x) => x.set([-0, 0, 30, -30])) },
  ({ x }) => ops.gelu(x),
  ({ x }) => ops.geluPlain(x),
);

const embeddingCases = [[1], [2, 3], [4, 1, 2]].map((shape) =>
  opCase(
    `embedding of tokens [${shape}]`,
    { weight: normal("weight", [5, 3]) },
    ({ weight }) => ops.embedding(weight, integers("tokens", shape, 5)),
    ({ weight }) => ops.embeddingPlain(weight, integers("tokens", shape, 5)),
  ),
);

/** The matrix as embedding and as output layer; also with its gradient shared, and with the embedding alone. */
const tiedCases = [
  [
    "and multiplied",
    (rows: tf.Tensor, weight: tf.Tensor) => tf.matMul(rows as tf.Tensor2D, weight as tf.Tensor2D, false, true),
  ],
  ["and added", (rows: tf.Tensor, weight: tf.Tensor) => tf.add(tf.tile(rows, [2, 1]), tf.reshape(weight, [6, 3]))],
  ["alone", (rows: tf.Tensor) => rows],
].map(([name, use]) => {
  const both = use as (rows: tf.Tensor, weight: tf.Tensor) => tf.Tensor;
  const tokens = () => integers("tokens", [3], 6);
  return opCase(
    `tied embedding ${name}`,
    { weight: normal("weight", [6, 3]) },
    ({ weight }) => {
      const tied = ops.tiedEmbedding(weight, tokens());
      return both(tied.rows, tied.weight);
    },
    ({ weight }) => both(ops.embeddingPlain(weight, tokens()), weight),
  );
});

/** Targets of which some are −1. */
function targets(rows: number, vocabulary: number): tf.Tensor1D {
  return integers("targets", [rows], vocabulary + 1).sub(tf.scalar(1, "int32"));
}

const lossCases = [
  [9, 4, 7],
  [1, 1, 1],
  [40, 8, 33],
].flatMap(([rows, width, vocabulary]) => {
  const inputs = { x: normal("x", [rows!, width!], 2), weight: normal("weight", [vocabulary!, width!], 2) };
  const options = { scale: 1 / Math.sqrt(width!) };
  return [
    opCase(
      `linearCrossEntropy of ${rows} tokens over ${vocabulary}`,
      inputs,
      ({ x, weight }) => ops.linearCrossEntropy(x, weight, targets(rows!, vocabulary!), options),
      ({ x, weight }) => ops.linearCrossEntropyPlain(x, weight, targets(rows!, vocabulary!), options),
    ),
    opCase(
      `linearTokenLosses of ${rows} tokens over ${vocabulary}`,
      inputs,
      ({ x, weight }) => ops.linearTokenLosses(x, weight, targets(rows!, vocabulary!), options),
      ({ x, weight }) => ops.linearTokenLossesPlain(x, weight, targets(rows!, vocabulary!), options),
      { differentiable: false },
    ),
  ];
});

const ignoredCase = opCase(
  "linearCrossEntropy where every target is ignored",
  { x: normal("x", [3, 2]), weight: normal("weight", [4, 2]) },
  ({ x, weight }) => ops.linearCrossEntropy(x, weight, tf.fill([3], -1, "int32")),
  ({ x, weight }) => ops.linearCrossEntropyPlain(x, weight, tf.fill([3], -1, "int32")),
);

const recurrenceCases = [
  [2, 5, 3],
  [1, 1, 1],
  [1, 40, 2],
].flatMap(([batch, time, width]) => {
  const input = normal("input", [batch!, time!, width!]);
  const initial = normal("initial", [batch!, width!]);
  return [[width!], [batch!, time!, width!]].flatMap((shape) => {
    const decay = uniform("decay", shape, -0.9, 0.99);
    return [
      opCase(
        `linearRecurrence, decay [${shape}], input [${input.shape}]`,
        { decay, input },
        ({ decay, input }) => ops.linearRecurrence(decay, input),
        ({ decay, input }) => ops.linearRecurrencePlain(decay, input),
      ),
      opCase(
        `linearRecurrence from a state, decay [${shape}], input [${input.shape}]`,
        { decay, input, initial },
        ({ decay, input, initial }) => ops.linearRecurrence(decay, input, initial),
        ({ decay, input, initial }) => ops.linearRecurrencePlain(decay, input, initial),
      ),
    ];
  });
});

/** [batch, time, channels, taps]: few taps, more taps than time, more than one block, kernels shorter than a block. */
const convolutionCases = [
  [2, 5, 3, 4],
  [1, 1, 1, 1],
  [2, 3, 2, 5],
  [3, 21, 5, 21],
  [1, 6, 2, 12],
  [2, 70, 3, 70],
  [2, 80, 2, 20],
  [1, 130, 1, 70],
].map(([batch, time, channels, taps]) =>
  opCase(
    `causalConvolution of [${batch},${time},${channels}] with ${taps} taps`,
    { u: normal("u", [batch!, time!, channels!]), kernel: normal("kernel", [channels!, taps!]) },
    ({ u, kernel }) => ops.causalConvolution(u, kernel),
    ({ u, kernel }) => ops.causalConvolutionPlain(u, kernel),
  ),
);

/** [batch, time, channels, state, chunk]: one step, one chunk, chunks that do not fill the time. */
const scanCases = [
  [1, 1, 1, 1, 1],
  [2, 5, 3, 4, 5],
  [2, 23, 5, 3, 4],
  [1, 70, 17, 2, 32],
].map(([batch, time, channels, size, chunk]) =>
  opCase(
    `selectiveScan of [${batch},${time},${channels}] with states of ${size}, in chunks of ${chunk}`,
    {
      x: normal("x", [batch!, time!, channels!]),
      delta: uniform("delta", [batch!, time!, channels!], 0.01, 1),
      dynamics: uniform("dynamics", [channels!, size!], -2, -0.1),
      input: normal("input", [batch!, time!, size!]),
      output: normal("output", [batch!, time!, size!]),
    },
    ({ x, delta, dynamics, input, output }) => ops.selectiveScan(x, delta, dynamics, input, output, chunk),
    ({ x, delta, dynamics, input, output }) => ops.selectiveScanPlain(x, delta, dynamics, input, output),
  ),
);

/** [batch, time, channels, spread of keys, greatest decay]: the last as extreme as RWKV's initial distribution gets. */
const meanCases = [
  [1, 2, 1, 1, 2],
  [2, 5, 3, 1, 2],
  [1, 40, 19, 1, 2],
  [1, 30, 3, 90, 15],
].flatMap(([batch, time, channels, spread, fastest]) =>
  (["published", "canonical"] as const).map((sign) =>
    opCase(
      `weightedMean of [${batch},${time},${channels}], keys within ${spread}, ${sign}`,
      {
        keys: normal("keys", [batch!, time!, channels!], spread),
        values: normal("values", [batch!, time!, channels!]),
        decay: uniform("decay", [channels!], 0.05, fastest!),
        first: normal("first", [channels!]),
      },
      ({ keys, values, decay, first }) => ops.weightedMean(keys, values, { decay, first, sign }),
      ({ keys, values, decay, first }) => ops.weightedMeanPlain(keys, values, { decay, first, sign }),
    ),
  ),
);

/** [batch, heads, time, width, wide] */
const linearMemoryCases = [
  [1, 1, 1, 1, 1],
  [2, 3, 5, 4, 3],
  [1, 2, 70, 17, 33],
  [1, 1, 30, 16, 70],
].flatMap(([batch, heads, time, width, wide]) => {
  const inputs = {
    queries: normal("queries", [batch!, heads!, time!, width!]),
    keys: normal("keys", [batch!, heads!, time!, width!]),
    values: normal("values", [batch!, heads!, time!, wide!]),
  };
  const shape = `[${batch},${heads},${time},${width}], values ${wide} wide`;
  const decays = Array.from({ length: heads! }, (_, h) => 1 - h / 8);
  const logGates = uniform("gates", [batch!, heads!, time!, width!], -1, 0);
  return [
    opCase(
      `decayingRead of ${shape}`,
      inputs,
      ({ queries, keys, values }) => ops.decayingRead(queries, keys, values, decays),
      ({ queries, keys, values }) => ops.decayingReadPlain(queries, keys, values, decays),
    ),
    opCase(
      `gatedRead of ${shape}`,
      { ...inputs, logGates },
      ({ queries, keys, values, logGates }) => ops.gatedRead(queries, keys, values, logGates),
      ({ queries, keys, values, logGates }) => ops.gatedReadPlain(queries, keys, values, logGates),
    ),
  ];
});

/** A copy of the store after a write, so that case and definition see the same one before. */
function written(store: tf.Tensor, write: (into: tf.Variable<tf.Rank.R3>) => void): tf.Tensor {
  const own = tf.mul(store, 1) as tf.Tensor3D;
  const variable = tf.variable(own);
  own.dispose();
  write(variable);
  const after = tf.mul(variable, 1);
  variable.dispose();
  return after;
}

const writeCases = [
  [1, 6, 4, 0, 6],
  [1, 6, 4, 5, 1],
  [2, 7, 3, 2, 3],
  [2, 3, 2, 1, 0],
].map(([batch, capacity, width, at, time]) => {
  const inputs = { store: normal("store", [batch!, capacity!, width!]), rows: normal("rows", [batch!, time!, width!]) };
  return opCase(
    `writeRows of [${inputs.rows.shape}] at ${at} of ${capacity}`,
    inputs,
    ({ store, rows }) => written(store, (into) => ops.writeRows(into, at!, rows)),
    ({ store, rows }) => written(store, (into) => ops.writeRowsPlain(into, at!, rows)),
    { differentiable: false },
  );
});

/** What training needs of TF.js itself. */
const stockCases = [
  ...(
    [
      [[3, 4], [4, 5], false, false],
      [[4, 3], [4, 5], true, false],
      [[3, 4], [5, 4], false, true],
      [[4, 3], [5, 4], true, true],
      [[2, 3, 4], [2, 4, 5], false, false],
      [[2, 2, 4, 3], [2, 2, 5, 4], true, true],
      [[2, 40, 3], [2, 40, 2], true, false],
      [[2, 3, 40], [2, 90, 40], false, true],
      [[1, 1], [1, 1], true, false],
    ] as [number[], number[], boolean, boolean][]
  ).map(([aShape, bShape, transposeA, transposeB]) => {
    const product = ({ a, b }: Record<"a" | "b", never>) => tf.matMul(a, b, transposeA, transposeB);
    const name = `matMul of [${aShape}]${transposeA ? "ᵀ" : ""} and [${bShape}]${transposeB ? "ᵀ" : ""}`;
    return opCase(name, { a: normal("a", aShape), b: normal("b", bShape) }, product, product);
  }),
  opCase(
    "matMul with one left side for all",
    { a: normal("a", [1, 3, 4]), b: normal("b", [6, 4, 2]) },
    ({ a, b }) => tf.matMul(a, b),
    ({ a, b }) => tf.matMul(a, b),
    { differentiable: false },
  ),
  opCase(
    "gather",
    { x: normal("x", [5, 3]) },
    ({ x }) => tf.gather(x as tf.Tensor, integers("indices", [7], 5) as tf.Tensor1D),
    ({ x }) => tf.gather(x as tf.Tensor, integers("indices", [7], 5) as tf.Tensor1D),
  ),
];

export const opCases: readonly OpCase[] = [
  ...linearCases,
  linearOfAnyRank,
  ...layerNormCases,
  ...extractorCases,
  ...zeroVectors,
  ...contextualCases,
  ...causalCases,
  ...sharpReads,
  ...persistentCases,
  ...dropoutCases,
  geluCase,
  ...embeddingCases,
  ...tiedCases,
  ...lossCases,
  ignoredCase,
  ...recurrenceCases,
  ...convolutionCases,
  ...scanCases,
  ...meanCases,
  ...linearMemoryCases,
  ...writeCases,
  ...stockCases,
];
