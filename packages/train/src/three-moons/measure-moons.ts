/** Everything the figures show of a trained memory, as metric rows. */
import {
  COORDINATES,
  HELD_OUT_TRIPLE,
  jointPeriod,
  MAPS,
  type MoonMemory,
  moduli,
  type Periods,
  stepsPerUnit,
} from "@mm/models";
import type { MetricRow } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { ThreeMoonsConfig } from "./config.js";
import { disentanglement, transposed } from "./disentanglement.js";
import { accurateFrom, generationErrors } from "./generation-error.js";
import { courseOf } from "./moon-windows.js";

/** The triples that are shown: their joint period is twice the longest single one, so the two can be told apart. */
export const SHOWN_TRIPLES: Readonly<Record<"train" | "held-out", Periods>> = {
  train: [0.5, 1, 2.5],
  "held-out": HELD_OUT_TRIPLE,
};

type Measured = Pick<MetricRow, "metric" | "value" | "tags">;

/** The longest single period and the joint one, in steps. */
export function periodsInSteps(periods: Periods, config: ThreeMoonsConfig): { longest: number; joint: number } {
  const density = stepsPerUnit(config);
  return { longest: Math.max(...periods) * density, joint: jointPeriod(periods) * density };
}

/** Of one memory, at the end of its training; every row carries the tag `heads`. */
export async function measureMoons(memory: MoonMemory, config: ThreeMoonsConfig): Promise<Measured[]> {
  const rows = [...(await weightRows(memory)), ...(await attentionRows(memory, config))];
  for (const [triple, periods] of Object.entries(SHOWN_TRIPLES)) {
    rows.push(...periodRows(periods, config).map((row) => tagged(row, { triple })));
    rows.push(...(await trajectoryRows(memory, periods, config)).map((row) => tagged(row, { triple })));
    const errors = await generationErrors(memory, periods, config);
    rows.push(
      ...errors.map(({ prompt, error }) => ({ metric: "generationError", value: error, tags: { triple, prompt } })),
    );
    const from = accurateFrom(errors);
    if (from !== null) rows.push({ metric: "accurateFrom", value: from, tags: { triple } });
  }
  return rows.map((row) => tagged(row, { heads: config.memory.heads }));
}

function tagged(row: Measured, tags: MetricRow["tags"]): Measured {
  return { ...row, tags: { ...row.tags, ...tags } };
}

function periodRows(periods: Periods, config: ThreeMoonsConfig): Measured[] {
  const density = stepsPerUnit(config);
  return [
    ...periods.map((period, moon) => ({ metric: "period", value: period * density, tags: { moon: moon + 1 } })),
    { metric: "period", value: periodsInSteps(periods, config).joint, tags: { moon: "joint" } },
  ];
}

/** The moduli of the maps, and how far they keep each head to one moon. */
async function weightRows(memory: MoonMemory): Promise<Measured[]> {
  const rows: Measured[] = [];
  const matrices: Record<string, number[][]> = {};
  for (const map of Object.keys(MAPS) as (keyof typeof MAPS)[]) {
    const weight = memory.weight(map);
    const matrix = await moduli(weight);
    weight.dispose();
    rows.push(
      ...matrix.flatMap((values, row) =>
        values.map((value, column) => ({ metric: "weightModulus", value, tags: { matrix: map, row, column } })),
      ),
    );
    matrices[map] = map === "output" ? transposed(matrix) : matrix;
  }
  const scores = Object.fromEntries(Object.entries(matrices).map(([map, matrix]) => [map, [matrix]]));
  for (const [matrix, given] of Object.entries({ ...scores, all: Object.values(matrices) })) {
    rows.push({ metric: "disentanglement", value: disentanglement(given).score, tags: { matrix } });
  }
  return rows;
}

const MAP_CELLS = 96;
/** Past the longest joint period, to see a row of the map that has it all behind it. */
const BEYOND_JOINT_PERIOD = 100;

/** Cells that are read less than this are left out. */
const FAINTEST = 1e-5;

/** The attention map of each head, averaged over square cells named by their first query and key. */
async function attentionRows(memory: MoonMemory, config: ThreeMoonsConfig): Promise<Measured[]> {
  const periods = SHOWN_TRIPLES.train;
  const cell = Math.ceil((periodsInSteps(periods, config).joint + BEYOND_JOINT_PERIOD) / MAP_CELLS);
  const cells = MAP_CELLS;
  const steps = cells * cell;
  const { heads } = config.memory;
  const averaged = tf.tidy(() => {
    const window = courseOf(periods, config).subarray(0, steps * COORDINATES);
    const map = memory.attention(tf.tensor3d(window, [1, steps, COORDINATES]));
    return tf.mean<tf.Tensor3D>(tf.reshape(map, [heads * cells, cell, cells, cell]), [1, 3]);
  });
  const values = await averaged.data();
  averaged.dispose();
  const rows = Array.from(values, (value, index) => {
    const key = index % cells;
    const query = Math.floor(index / cells) % cells;
    const head = Math.floor(index / cells ** 2);
    return { metric: "attention", value, tags: { head, query: query * cell, key: key * cell } };
  });
  // The corner keeps the map's size where the last cell is empty.
  return rows.filter((row, index) => row.value > FAINTEST || index === cells ** 2 - 1);
}

/** One window: the truth, what is predicted from the true past, and what is generated once the prompt has ended. */
async function trajectoryRows(memory: MoonMemory, periods: Periods, config: ThreeMoonsConfig): Promise<Measured[]> {
  const { longest, joint } = periodsInSteps(periods, config);
  // Between the longest period and the joint one: three heads have seen enough, one has not.
  const prompt = Math.round((longest + joint) / 2);
  const generated = Math.round(longest / 2);
  const steps = prompt + generated;
  const course = courseOf(periods, config).subarray(0, (steps + 1) * COORDINATES);
  const [taught, made] = tf.tidy(() => {
    const x = tf.tensor3d(course.subarray(0, steps * COORDINATES), [1, steps, COORDINATES]);
    const heard = tf.slice(x, [0, 0, 0], [-1, prompt, -1]);
    return [memory.predict(x), memory.generate(heard, generated, { cache: config.evaluation.cache })] as const;
  });
  // Predictions are of the next step: row j of a series stands at position j + 1, or after the prompt.
  const series = {
    true: { values: course, first: 0 },
    "teacher-forced": { values: await taught.data(), first: 1 },
    generated: { values: await made.data(), first: prompt },
  };
  tf.dispose([taught, made]);
  return Object.entries(series).flatMap(([name, { values, first }]) =>
    Array.from(values, (value, index) => ({
      metric: "trajectory",
      value,
      tags: {
        series: name,
        component: index % COORDINATES,
        position: first + Math.floor(index / COORDINATES),
        prompt,
      },
    })),
  );
}
