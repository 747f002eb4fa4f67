/** Three moons: the sequences, and the memory's weights, pairs, predictions, read weights and generated steps. */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { MoonMemoryConfig } from "../three-moons/config.js";
import { MAPS, MoonMemory } from "../three-moons/moon-memory.js";
import { COORDINATES, moonPositions, type Periods } from "../three-moons/moons.js";
import { type Fixture, under } from "./fixture.js";
import { numbers, take } from "./language-model.js";
import { absoluteError, type Measure, worstOf } from "./measure.js";

/** Every number is at most a few units large. */
const TOLERANCE = 2e-5;
const SEQUENCE_TOLERANCE = 1e-6;
/** The logarithm of the factor of the keys in the results whose keys have one. */
const KEY_SCALE = 0.7;

const Periods3 = z.tuple([z.number(), z.number(), z.number()]);

const Entry = z.looseObject({
  facts: z.looseObject({ block800_minperiods3: z.looseObject({ points_per_unit_time: z.number() }) }),
  sequences: z.array(
    z.looseObject({
      observer: z.enum(["sun", "planet"]),
      index: z.int(),
      start_point: z.int(),
      periods: Periods3,
      rows: z.int(),
    }),
  ),
  models: z.array(
    z.looseObject({
      name: z.string(),
      prompt: z.int(),
      new: z.int(),
      config: z.looseObject({
        input_dim: z.int(),
        n_head: z.int(),
        h_dim: z.int(),
        v_shift: z.literal(1),
        v_ban: z.int(),
        complex: z.boolean(),
        norm_keys: z.boolean(),
        norm_vals: z.boolean(),
        scale_keys: z.boolean(),
        attn_scale: z.number(),
        out_sum: z.boolean(),
      }),
    }),
  ),
});
type Entry = z.output<typeof Entry>;

export async function threeMoonsParity({ entry, tensors }: Fixture): Promise<Measure[]> {
  const { facts, sequences, models } = Entry.parse(entry);
  const density = facts.block800_minperiods3.points_per_unit_time;
  const worst: Record<string, number> = {};
  for (const { observer, index, start_point: start, periods, rows } of sequences) {
    const name = `seq/${observer}/${index}`;
    const made = moonPositions({ periods: periods as Periods, start, length: rows + 1, density, observer });
    worst[`${name}/x`] = absoluteError(made.subarray(0, rows * COORDINATES), numbers(tensors[`${name}/x`]!.data));
    worst[`${name}/y`] = absoluteError(made.subarray(COORDINATES), numbers(tensors[`${name}/y`]!.data));
  }
  const measures = [worstOf("sequences", worst, SEQUENCE_TOLERANCE)];
  for (const model of models) measures.push(await memoryParity(model, under(tensors, `model/${model.name}/`)));
  return measures;
}

async function memoryParity(
  { name, prompt: length, new: count, config: theirs }: Entry["models"][number],
  tensors: Fixture["tensors"],
): Promise<Measure> {
  const config = MoonMemoryConfig.parse({
    inputs: theirs.input_dim,
    heads: theirs.n_head,
    features: theirs.h_dim,
    ban: theirs.v_ban,
    complex: theirs.complex,
    normKeys: theirs.norm_keys,
    normValues: theirs.norm_vals,
    scaleKeys: theirs.scale_keys,
    scale: theirs.attn_scale,
    output: theirs.out_sum ? "sum" : "projection",
  });
  const weights = {
    ...Object.fromEntries(Object.entries(tensors).map(([tensor, { data }]) => [tensor, numbers(data)])),
    key_scale: [KEY_SCALE],
  };
  const memory = MoonMemory.withWeights(config, weights);
  // The cached step of the reference does not keep its distance from what is stored.
  const unbanned = MoonMemory.withWeights({ ...config, ban: 0 }, weights);
  const { data, shape } = tensors["x"]!;
  const x = tf.tensor3d(numbers(data) as Float32Array, shape as [number, number, number]);
  try {
    const results = tf.tidy(() => {
      const stored = memory.store(x);
      const prompt = tf.slice(x, [0, 0, 0], [-1, length, -1]);
      const heard = memory.predict(prompt);
      const whole = (cache: boolean) =>
        tf.concat([heard, tf.slice(memory.generate(prompt, count + 1, { cache }), [0, 1, 0], [-1, count, -1])], 1);
      const generate = whole(true);
      const fed = tf.concat([prompt, tf.slice(heard, [0, length - 1, 0], [-1, 1, -1])], 1);
      const maps = Object.entries(MAPS).filter(([, variable]) => variable in memory.variables);
      return {
        ...Object.fromEntries(
          maps.map(([map, variable]) => [
            variable.replace(".weight", ".effective_weight"),
            memory.weight(map as keyof typeof MAPS),
          ]),
        ),
        y: memory.predict(x),
        keys: memory.apart(stored.keys),
        values: memory.apart(stored.values),
        attention: tf.slice(memory.attention(x), 0, 1),
        generate,
        generate_nocache: whole(false),
        step_out: tf.slice(generate, [0, length, 0], [-1, 1, -1]),
        step_attention: tf.slice(unbanned.attention(fed), [0, 0, length, 0], [1, -1, 1, -1]),
      };
    });
    const errors: Record<string, number> = {};
    for (const [quantity, actual] of Object.entries(results)) {
      errors[quantity] = absoluteError(await take(actual), numbers(tensors[quantity]!.data));
    }
    return worstOf(name.replaceAll("_", " "), errors, TOLERANCE);
  } finally {
    x.dispose();
    memory.dispose();
    unbanned.dispose();
  }
}
