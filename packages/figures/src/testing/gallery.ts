/**
 * Rows as real runs leave them, drawn from formulas with a fixed seed: the gallery that the figure tests draw. Their
 * numbers mean nothing; they only have plausible shapes.
 */
import { type MetricRow, Rng } from "@mm/run";

type Tags = MetricRow["tags"];

const row = (run: string, step: number, split: string, metric: string, value: number, tags: Tags): MetricRow => ({
  run,
  step,
  split,
  metric,
  value,
  tags,
});

/** Uniform noise in [−size, size], the same for the same label. */
function noise(label: string, size: number): number {
  return (Rng.fromSeed(7).fork(label).uniform() * 2 - 1) * size;
}

const LANGUAGE_MODELS = ["memory-mosaic", "gpt2"];

/** Training and validation loss of both models at some depths, two seeds at depth 1. */
export function lossCurveRows(depths: readonly number[], steps = 2000, dataset = "stories"): MetricRow[] {
  return LANGUAGE_MODELS.flatMap((model) =>
    depths.flatMap((blocks) =>
      (blocks === 1 ? [1, 2] : [1]).flatMap((seed) => {
        const run = `${model}-${blocks}-s${seed}`;
        const floor = 1.35 + 0.5 / blocks - (model === "gpt2" && blocks > 1 ? 0.02 : 0);
        return Array.from({ length: 41 }, (_, index) => (index * steps) / 40).flatMap((step) => {
          const progress = step / steps;
          const speed = model === "gpt2" ? 11 : 14;
          const loss = floor + (10.8 - floor) * Math.exp(-speed * Math.sqrt(progress));
          const tags = { model, blocks, seed, dataset };
          return [
            row(
              run,
              step,
              "train-eval",
              "loss",
              loss - 0.06 * progress * blocks ** 0.5 + noise(`${run}${step}`, 0.02),
              tags,
            ),
            row(run, step, "valid", "loss", loss + 0.03 * progress + noise(`${run}${step}v`, 0.02), tags),
          ];
        });
      }),
    ),
  );
}

/** Loss by position for both models on two data sets. */
export function positionLossRows(): MetricRow[] {
  return LANGUAGE_MODELS.flatMap((model) =>
    ["stories", "simple-wikipedia"].flatMap((dataset, index) =>
      Array.from({ length: 512 }, (_, position) => {
        const run = `${model}-12-s1`;
        const tags = { model, blocks: 12, seed: 1, dataset, outOfDistribution: index === 1, position };
        const late = index === 1 && model === "gpt2" ? 0.12 * Math.log10(position + 1) : 0;
        const early = (model === "gpt2" ? 3.3 : 3.45) * (position + 1) ** -0.55;
        const value = [1.45, 4.1][index]! + early + late + noise(`${run}${dataset}${position}`, 0.05);
        return [
          row(run, 80_000, "valid", "lossByPosition", value, tags),
          row(run, 80_000, "valid", "lossByPositionStandardError", 0.02 + 0.03 * (position + 1) ** -0.5, tags),
        ];
      }).flat(),
    ),
  );
}

/** RegBench scores: Memory Mosaic with three seeds, a Transformer, and one point of a shortened protocol. */
export function regbenchRows(models: readonly string[] = ["memory-mosaic", "transformer"]): MetricRow[] {
  const scores = models.flatMap((model, index) =>
    [100, 500, 1000].flatMap((environments, step) =>
      (model === "memory-mosaic" ? [0, 1, 2] : [0]).flatMap((seed) => {
        const run = `regbench-${model}-${environments}-s${seed}`;
        const tags = { model, environments, seed, epochs: 200 };
        const accuracy = (model === "memory-mosaic" ? 0.92 : 0.5 + 0.02 * index) + 0.006 * step;
        const variation = model === "memory-mosaic" ? 0.59 / 2 ** step + 0.02 : 0.66 - 0.01 * index - 0.02 * step;
        return [
          row(run, 800, "test", "dfaAccuracy", accuracy + noise(run, 0.006), tags),
          row(run, 800, "test", "totalVariation", variation + noise(run, 0.02), tags),
        ];
      }),
    ),
  );
  const short = { model: "memory-mosaic", environments: 40, seed: 0, epochs: 20 };
  return [
    ...scores,
    row("regbench-quick", 40, "test", "dfaAccuracy", 0.61, short),
    row("regbench-quick", 40, "test", "totalVariation", 0.71, short),
    ...[2, 3].flatMap((order) => [
      row("regbench-ngram", 0, "test", "dfaAccuracy", order === 2 ? 0.83 : 0.935, { model: `${order}-gram` }),
      row("regbench-ngram", 0, "test", "totalVariation", order === 2 ? 0.34 : 0.267, { model: `${order}-gram` }),
    ]),
    row("regbench-bayes", 0, "test", "dfaAccuracy", 0.975, { model: "bayes", problems: 40 }),
    row("regbench-bayes", 0, "test", "totalVariation", 0.12, { model: "bayes", problems: 40 }),
  ];
}

/** Statistics of two datasets, as `dataset.json` files give them. */
export function datasetRows(): MetricRow[] {
  const sizes = { stories: [19_800, 200], "tiny-shakespeare": [1, 1] };
  return Object.entries(sizes).flatMap(([dataset, documents]) =>
    ["train", "valid"].flatMap((split, index) => {
      const run = `dataset:${dataset}`;
      const tags = { dataset, synthetic: dataset === "stories" };
      const stories = documents[index]!;
      return [
        row(run, 0, split, "documents", stories, tags),
        row(run, 0, split, "tokens", stories === 1 ? 301_966 / (1 + 8 * index) : stories * 211, tags),
        row(run, 0, split, "meanCharacters", stories === 1 ? 1_003_854 / (1 + 8 * index) : 871 + index, tags),
      ];
    }),
  );
}

/** A grid over learning rate, dropout and weight decay. */
export function sweepRows(): MetricRow[] {
  return [1e-3, 2.5e-3, 5e-3, 1e-2].flatMap((learningRate) =>
    [0, 0.05, 0.1].flatMap((dropout) =>
      [0.01, 0.1].map((weightDecay) => {
        const run = `sweep-${learningRate}-${dropout}-${weightDecay}`;
        const loss =
          1.5 + 0.06 * Math.abs(Math.log(learningRate / 5e-3)) + 8 * (dropout - 0.05) ** 2 + 0.1 * (0.1 - weightDecay);
        return row(run, 2000, "valid", "loss", loss + noise(run, 0.01), {
          model: "gpt2",
          sweep: "table2",
          "set.train.learningRate": learningRate,
          "set.model.dropout": dropout,
          "set.train.weightDecay": weightDecay,
        });
      }),
    ),
  );
}

/** Flat attention with a recent peak against oscillating attention. */
export function attentionRows(blocks = 3, heads = 4, length = 128): MetricRow[] {
  return LANGUAGE_MODELS.flatMap((model) =>
    Array.from({ length: blocks * heads * length }, (_, index) => {
      const position = index % length;
      const head = Math.floor(index / length) % heads;
      const block = Math.floor(index / length / heads);
      const distance = length - position;
      const recent = 0.3 * Math.exp(-distance / (1 + head));
      const far = (1 + 0.3 * block) / length / 2;
      const wave = model === "gpt2" ? 1 + 0.9 * Math.sin(position / (3 + head + block)) : 1;
      return row(`${model}-a`, 2000, "valid", "attentionOfLastPosition", far * wave + recent, {
        model,
        block,
        head,
        position,
      });
    }),
  );
}

/** Heads of two blocks that start alike and part. */
export function headParameterRows(): MetricRow[] {
  return ["contextual", "persistent"].flatMap((memory) =>
    [0, 1].flatMap((block) =>
      [0, 1, 2, 3].flatMap((head) =>
        Array.from({ length: 21 }, (_, index) => index * 500).flatMap((step) => {
          const tags = { model: "memory-mosaic", memory, block, head };
          const learnt = 1 - Math.exp(-step / 4000);
          const way = (head - 1.5) * (memory === "contextual" ? 1 : 0.4);
          return [
            row("mosaic", step, "train", "forgettingRate", Math.exp(-0.7 - head + learnt * way * 0.6), tags),
            row("mosaic", step, "train", "bandwidth", Math.exp(2 + learnt * (way + block)), tags),
            ...(memory === "contextual"
              ? [row("mosaic", step, "train", "valueMixing", 0.5 + 0.2 * way * (0.3 + 0.7 * learnt), tags)]
              : []),
          ];
        }),
      ),
    ),
  );
}

export function regbenchByPositionRows(): MetricRow[] {
  return ["memory-mosaic", "transformer"].flatMap((model, index) =>
    [0, 1].flatMap((seed) =>
      Array.from({ length: 60 }, (_, place) => {
        const run = `regbench-${model}-s${seed}`;
        const learnt = (1 - Math.exp(-place / (12 + 10 * index))) * (1 - 0.3 * index);
        const shift = noise(`${run}${place}`, 0.02);
        const tags = { model, environments: 100, seed };
        return [
          row(run, 800, "test", "dfaAccuracyByPosition", 0.35 + 0.55 * learnt + shift, {
            ...tags,
            position: place * 8,
          }),
          row(run, 800, "test", "totalVariationByPosition", 0.75 - 0.5 * learnt - shift, {
            ...tags,
            position: place * 8,
          }),
          ...(place < 19
            ? [
                row(run, 800, "test", "dfaAccuracyByStringsSeen", 0.4 + 0.5 * learnt + shift, {
                  ...tags,
                  strings: place,
                }),
                row(run, 800, "test", "totalVariationByStringsSeen", 0.7 - 0.45 * learnt - shift, {
                  ...tags,
                  strings: place,
                }),
              ]
            : []),
        ];
      }).flat(),
    ),
  );
}

export function recallRows(): MetricRow[] {
  const reaches = { distance: [300, 900, 80], pairs: [40, 100, 15] } as const;
  const points = { distance: [4, 8, 16, 32, 64, 96], pairs: [4, 8, 16, 32] } as const;
  return ["memory-mosaic", "memory-mosaic-v2", "gpt2"].flatMap((model, index) =>
    [0, 1, 2].flatMap((seed) =>
      (["distance", "pairs"] as const).flatMap((task) =>
        points[task].map((point) => {
          const run = `recall-${task}-${model}-seed${seed}`;
          const learnt = 0.96 * Math.exp(-point / reaches[task][index]!);
          const tags = { model, seed, task, [task]: point };
          return row(run, 400, "test", "recallAccuracy", learnt + noise(`${run}${point}`, 0.03), tags);
        }),
      ),
    ),
  );
}

export function ablationRows(): MetricRow[] {
  const without = ["none", "no-peek", "no-leaky-average", "attention-for-contextual-memory"];
  return without.flatMap((ablation, index) =>
    [0, 1].flatMap((seed) => {
      const tags = { model: "memory-mosaic", ablation, seed };
      const run = `ablation-${ablation}-${seed}`;
      return [
        row(run, 300, "valid", "loss", 2.9 + 0.15 * index + noise(run, 0.05), tags),
        ...[4, 16].map((distance) =>
          row(`${run}-far`, 400, "test", "recallAccuracy", 0.9 - 0.25 * index + noise(`${run}${distance}`, 0.03), {
            ...tags,
            task: "distance",
            distance,
          }),
        ),
        row(`${run}-many`, 400, "test", "recallAccuracy", 0.8 - 0.2 * index + noise(`${run}many`, 0.03), {
          ...tags,
          task: "pairs",
          pairs: 8,
        }),
      ];
    }),
  );
}

const PERIODS = { train: [22.2, 44.4, 66.7], "held-out": [44.4, 88.9, 133.3] } as const;
const JOINT_PERIOD = { train: 133.3, "held-out": 266.7 } as const;

export function threeMoonsRows(): MetricRow[] {
  const trajectories = [1, 3].flatMap((heads) =>
    Array.from({ length: 100 }, (_, index) => index * 4).flatMap((position) =>
      [0, 1, 2].flatMap((moon) => {
        const tags = { heads, triple: "held-out", component: 2 * moon, position, prompt: 200 };
        const angle = (2 * Math.PI * position) / PERIODS["held-out"][moon]! + 0.3;
        const wrong = heads === 1 ? 0.5 : 0.03;
        const late = position > 200 ? wrong * Math.sin(position / 17) : 0;
        return [
          row(`moons-${heads}`, 500, "test", "trajectory", Math.sin(angle), { ...tags, series: "true" }),
          row(`moons-${heads}`, 500, "test", "trajectory", Math.sin(angle - 0.05), {
            ...tags,
            series: "teacher-forced",
          }),
          ...(position >= 200
            ? [
                row(`moons-${heads}`, 500, "test", "trajectory", Math.sin(angle + late), {
                  ...tags,
                  series: "generated",
                }),
              ]
            : []),
        ];
      }),
    ),
  );
  const errors = (["train", "held-out"] as const).flatMap((triple) => [
    ...[1, 3].flatMap((heads) =>
      Array.from({ length: 50 }, (_, index) => 8 * (index + 1)).map((prompt) => {
        const enough = heads === 1 ? JOINT_PERIOD[triple] : PERIODS[triple][2];
        const error = 0.004 + 0.6 / (1 + Math.exp((prompt - enough) / 6));
        const run = `moons-${heads}`;
        return row(run, 500, "test", "generationError", error * (1 + noise(`${run}${prompt}`, 0.1)), {
          heads,
          triple,
          prompt,
        });
      }),
    ),
    ...[...PERIODS[triple], JOINT_PERIOD[triple]].map((steps, index) =>
      row("moons-1", 500, "test", "period", steps, { triple, moon: index === 3 ? "joint" : String(index + 1) }),
    ),
  ]);
  return [...trajectories, ...errors];
}

export function threeMoonsAttentionRows(size = 120): MetricRow[] {
  return [1, 3].flatMap((heads) =>
    Array.from({ length: heads }, (_, head) =>
      Array.from({ length: size * size }, (_, index) => {
        const [query, key] = [Math.floor(index / size), index % size];
        const period = heads === 1 ? 60 : 15 * (head + 1);
        const value = key < query ? Math.exp(8 * Math.cos((2 * Math.PI * (query - key - 1)) / period) - 8) : 0;
        return row(`moons-${heads}`, 500, "test", "attention", value, { heads, head, query, key });
      }),
    ).flat(),
  );
}

export function threeMoonsWeightRows(): MetricRow[] {
  return [1, 3].flatMap((heads) =>
    ["keys", "values", "output"].flatMap((matrix) =>
      [0, 1, 2].flatMap((line) =>
        [0, 1, 2].map((column) => {
          const strong = heads === 3 && column === (line + 1) % 3;
          const value = Math.abs(
            (strong ? 1.1 : heads === 3 ? 0.04 : 0.5) + noise(`${heads}${matrix}${line}${column}`, 0.3),
          );
          return row(`moons-${heads}`, 500, "test", "weightModulus", value, { heads, matrix, row: line, column });
        }),
      ),
    ),
  );
}

/** All of it: one small picture per figure. */
export function gallery(): Record<string, MetricRow[]> {
  return {
    "loss-curves": lossCurveRows([1, 8, 12, 18], 80_000, "babistories"),
    "position-loss": positionLossRows(),
    regbench: regbenchRows(),
    "dataset-statistics": datasetRows(),
    "hyperparameter-search": sweepRows(),
    "attention-curves": attentionRows(2, 2, 64),
    "head-parameters": headParameterRows(),
    "regbench-by-position": regbenchByPositionRows(),
    recall: recallRows(),
    ablations: ablationRows(),
    "three-moons-trajectories": threeMoonsRows(),
    "three-moons-error": threeMoonsRows(),
    "three-moons-attention": threeMoonsAttentionRows(30),
    "three-moons-weights": threeMoonsWeightRows(),
  };
}
