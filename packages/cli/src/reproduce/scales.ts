/**
 * How much of everything `mm reproduce` does. "tiny" shows in minutes that every part works, not what the models can
 * do; "laptop" shows the shapes of the results in an evening; "paper" is the published size.
 */
export interface Scale {
  /** Synthetic stories to write; null: the published dataset, which has to be built first. */
  readonly stories: number | null;
  readonly depths: readonly number[];
  /** Which of them are trained. */
  readonly families: readonly Family[];
  /** On top of the recipes of language models. */
  readonly language: readonly string[];
  /** Windows of each evaluation by position and of attention. */
  readonly windows: { position: number; attention: number };
  readonly regbench: {
    models: readonly string[];
    environments: readonly number[];
    seeds: readonly number[];
    epochs?: number;
    set: readonly string[];
  };
  readonly recall: { seeds: readonly number[]; set: readonly string[] };
  /** On top of the published settings of the three moons. */
  readonly moons: object;
  /** Values of the grid of Table 2. */
  readonly search: Readonly<Record<string, readonly number[]>>;
}

/** Recipes of language models, at each depth. */
export type Family = "mosaic" | "mosaic-v2" | "gpt2";

export type ScaleName = "tiny" | "laptop" | "paper";

/** The published sizes of RegBench's models and of its figure. */
const REGBENCH_MODELS = [
  "memory-mosaic",
  "transformer",
  "mamba",
  "linear-transformer",
  "hyena",
  "h3",
  "lstm",
  "rwkv",
  "s4d",
  "retnet",
  "gla",
];

export const scales: Readonly<Record<ScaleName, Scale>> = {
  tiny: {
    stories: 400,
    depths: [1, 2],
    families: ["mosaic", "mosaic-v2", "gpt2"],
    language: [
      "model.heads=2",
      "model.width=32",
      "model.contextLength=64",
      "steps=30",
      "batch=4",
      "schedule.warmup=3",
      "evaluation={every: 10, windows: 8}",
      "checkpoints={every: 10, keepLast: 3}",
    ],
    windows: { position: 16, attention: 8 },
    regbench: {
      models: ["memory-mosaic", "transformer"],
      environments: [8],
      seeds: [0],
      epochs: 2,
      set: [
        "model.blocks=1",
        "model.heads=2",
        "model.width=32",
        "protocol.batch=4",
        "protocol.valid=4",
        "protocol.test=8",
        "protocol.learningRate=2e-3",
      ],
    },
    recall: {
      seeds: [0],
      set: ["protocol.steps=30", "protocol.batch=8", "protocol.valid=2", "protocol.test=16", "model.width=32"],
    },
    moons: {
      iterations: 200,
      batch: 16,
      block: 256,
      minimumPeriods: 2,
      evaluation: { windows: 32, longestPrompt: 200, promptStep: 4 },
    },
    search: { "schedule.learningRate": [2e-3, 5e-3], "model.dropout": [0, 0.05] },
  },
  laptop: {
    stories: 4000,
    depths: [1, 2],
    families: ["mosaic", "mosaic-v2", "gpt2"],
    language: [],
    windows: { position: 128, attention: 64 },
    regbench: {
      models: ["memory-mosaic", "transformer"],
      environments: [100],
      seeds: [0],
      epochs: 20,
      set: ["protocol.valid=100", "protocol.test=200"],
    },
    recall: { seeds: [0], set: [] },
    moons: { batch: 16, evaluation: { windows: 128 } },
    search: {
      "schedule.learningRate": [2e-3, 5e-3, 1e-2],
      "model.dropout": [0, 0.05],
      "optimizer.weightDecay": [0.01, 0.1],
    },
  },
  paper: {
    stories: null,
    depths: [1, 8, 12, 18],
    families: ["mosaic", "gpt2"],
    language: [],
    windows: { position: 5120, attention: 512 },
    regbench: {
      models: REGBENCH_MODELS,
      environments: [100, 500, 1000, 2500, 40_000],
      seeds: [0, 1, 2],
      set: [],
    },
    recall: { seeds: [0, 1, 2], set: ["protocol.steps=2000"] },
    moons: {},
    search: {
      "schedule.learningRate": [1e-3, 2.5e-3, 5e-3],
      "model.dropout": [0, 0.05, 0.1],
      "optimizer.weightDecay": [0.01, 0.1],
      steps: [40_000, 80_000],
    },
  },
};
