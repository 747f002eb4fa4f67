/**
 * RegBench's baselines: the whole model, and one mixer alone, on an input and a cotangent of its own, without norm and
 * residual.
 */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Mixer, MixerKind } from "../baselines/backbone.js";
import { modelFromTensors } from "../from-tensors.js";
import { inference, type Probe } from "../model.js";
import { makeVariables } from "../parameters.js";
import { Scope } from "../scope.js";
import type { ModelConfig } from "../zoo.js";
import { type Fixture, under } from "./fixture.js";
import { compare, numbers, take } from "./language-model.js";
import { absoluteError, type Measure, relativeNorm, relativeToLargest } from "./measure.js";

const Entry = z.looseObject({
  /** Name of the mixer that was run alone. */
  layer: z.string(),
  fp32_run_of_reference_deviation: z.looseObject({
    logits: z.number(),
    loss: z.number(),
    grad_rel_l2: z.number(),
    layer_output: z.number(),
    layer_grad_rel_l2: z.number(),
  }),
});

/** Inner values of a mixer run alone that fixtures hold, by our names. */
const INNER: Readonly<Record<string, string>> = {
  kernel: "layer/kernel",
  shiftKernel: "layer/shift_kernel",
  filter: "layer/filter",
};

/** Ten times what the reference's own float32 run is off by, but never less than rounding may cost. */
const tenfold = (deviation: number, least: number) => Math.max(10 * deviation, least);

export const baselineParity =
  <Config extends ModelConfig>(configOf: (fixture: Fixture) => Config, kind: MixerKind<Config>) =>
  async (fixture: Fixture): Promise<Measure[]> => {
    const config = configOf(fixture);
    // Some files hold one mixer without the model around it.
    const whole = fixture.tensors["logits"] === undefined ? [] : await wholeParity(config, fixture);
    return [...whole, ...(await mixerParity(config, kind, fixture))];
  };

async function wholeParity(config: ModelConfig, fixture: Fixture): Promise<Measure[]> {
  const { fp32_run_of_reference_deviation: deviation } = Entry.parse(fixture.entry);
  const model = modelFromTensors(config, under(fixture.tensors, "param/"), fixture.entry.file);
  try {
    return await compare(model, fixture, {
      logits: tenfold(deviation.logits, 3e-5),
      loss: tenfold(deviation.loss, 1e-5),
      gradient: tenfold(deviation.grad_rel_l2, 1e-4),
    });
  } finally {
    model.dispose();
  }
}

async function mixerParity<Config>(config: Config, kind: MixerKind<Config>, fixture: Fixture): Promise<Measure[]> {
  const { layer, fp32_run_of_reference_deviation: deviation } = Entry.parse(fixture.entry);
  const weights = under(fixture.tensors, `param/${layer}.`);
  const variables = makeVariables(kind.parameters(config), (name) => weights[name]!.data as Float32Array);
  const mixer = kind.build(config, new Scope(variables));
  const [input, output, cotangent, expected] = ["input", "output", "grad_output", "grad_input"].map(
    (name) => fixture.tensors[`layer/${name}`]!,
  );
  const [x, dy] = [input!, cotangent!].map(({ data, shape }) => tf.tensor(data as Float32Array, [...shape]));
  const run = (given: tf.Tensor) => mixer.apply(given as tf.Tensor3D, inference);
  try {
    const made = await take(tf.tidy(() => run(x!)));
    const pulled = await take(tf.tidy(() => tf.grad(run)(x!, dy!)));
    return [
      {
        quantity: "mixer",
        error: absoluteError(made, numbers(output!.data)),
        tolerance: tenfold(deviation.layer_output, 1e-5),
      },
      {
        quantity: "mixer gradient",
        error: relativeNorm(pulled, numbers(expected!.data)),
        tolerance: tenfold(deviation.layer_grad_rel_l2, 1e-5),
      },
      ...(await innerParity(mixer, x!, fixture)),
    ];
  } finally {
    tf.dispose([x!, dy!, ...Object.values(variables)]);
  }
}

/** What the mixer shows of its kernels, compared where the fixture holds the same. */
async function innerParity(mixer: Mixer, input: tf.Tensor, { tensors }: Fixture): Promise<Measure[]> {
  const shown: Record<string, tf.Tensor> = {};
  const probe: Probe = {
    wants: (name) => tensors[INNER[name] ?? ""] !== undefined,
    take(name, value) {
      shown[name] = tf.keep(tf.clone(value));
    },
  };
  tf.dispose(tf.tidy(() => mixer.apply(input as tf.Tensor3D, { training: false, probe })));
  const measures: Measure[] = [];
  for (const [quantity, value] of Object.entries(shown)) {
    const expected = numbers(tensors[INNER[quantity]!]!.data);
    measures.push({ quantity, error: relativeToLargest(await take(value), expected), tolerance: 3e-5 });
  }
  return measures;
}
