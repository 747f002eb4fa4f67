/**
 * A training trajectory: some steps of AdamW with clipping and the authors' cosine schedule, compared
 * in loss and gradient norm at every step and in all parameters at the end. The first step has learning rate 0: it moves
 * nothing, but counts for the moments.
 */
import { type AdamWParameter, adamWStep } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { modelFromTensors } from "../from-tensors.js";
import { inference, type LanguageModel } from "../model.js";
import { mosaicConfig } from "./authors-config.js";
import { type Fixture, under } from "./fixture.js";
import { weightsOf } from "./intermediates.js";
import { numbers, take } from "./language-model.js";
import { absoluteError, type Measure, worstOf } from "./measure.js";

const Entry = z.looseObject({
  hyper: z.object({
    learning_rate: z.number(),
    min_lr: z.number(),
    warmup_iters: z.number(),
    lr_decay_iters: z.number(),
    weight_decay: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
    grad_clip: z.number(),
  }),
  log: z.array(z.object({ step: z.number(), lr: z.number(), loss: z.number(), grad_norm_before_clip: z.number() })),
  decayed: z.array(z.string()),
});
type Hyper = z.output<typeof Entry>["hyper"];

/** About ten times the deviation of the reference's own float32 run. */
const TOLERANCES = { learningRate: 1e-12, loss: 2e-5, gradientNorm: 4e-3, parameters: 2e-4 };

export async function trainingParity(fixture: Fixture): Promise<Measure[]> {
  const { hyper, log, decayed } = Entry.parse(fixture.entry);
  const { file, weights } = weightsOf(fixture);
  const model = modelFromTensors(mosaicConfig(fixture), weights, file);
  const moments = zeroMoments(model);
  const errors = { learningRate: {}, loss: {}, gradientNorm: {}, parameters: {} } as Record<
    keyof typeof TOLERANCES,
    Record<string, number>
  >;
  try {
    for (const { step, lr, loss, grad_norm_before_clip: norm } of log) {
      const learningRate = cosine(step, hyper);
      const made = await trainStep(model, moments, batch(fixture, step), learningRate, step, hyper);
      errors.learningRate[`step ${step}`] = Math.abs(learningRate - lr);
      errors.loss[`step ${step}`] = Math.abs(made.loss - loss);
      errors.gradientNorm[`step ${step}`] = Math.abs(made.norm - norm);
      if (step === 1) Object.assign(errors.parameters, await distances(model, fixture, "after_step1/"));
    }
    Object.assign(errors.parameters, await distances(model, fixture, "final/"));
    const groups = Object.keys(model.variables()).filter((name) => model.decayed(name) !== decayed.includes(name));
    return [
      { quantity: "wrong decay group", error: groups.length, tolerance: 0, ...(groups[0] ? { where: groups[0] } : {}) },
      worstOf("learning rate", errors.learningRate, TOLERANCES.learningRate),
      worstOf("loss", errors.loss, TOLERANCES.loss),
      worstOf("gradient norm", errors.gradientNorm, TOLERANCES.gradientNorm),
      worstOf("parameters", errors.parameters, TOLERANCES.parameters),
    ];
  } finally {
    tf.dispose(moments);
    model.dispose();
  }
}

/** Linear warm-up from 0, then a cosine from the largest to the smallest rate. */
function cosine(step: number, hyper: Hyper): number {
  const { learning_rate: most, min_lr: least, warmup_iters: warmup, lr_decay_iters: last } = hyper;
  if (step < warmup) return (most * step) / warmup;
  if (step > last) return least;
  return least + 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / (last - warmup))) * (most - least);
}

type Moments = Record<string, { first: tf.Variable; second: tf.Variable }>;

function zeroMoments(model: LanguageModel): Moments {
  const zero = (like: tf.Variable) => tf.tidy(() => tf.variable(tf.zerosLike(like)));
  return Object.fromEntries(
    Object.entries(model.variables()).map(([name, variable]) => [
      name,
      { first: zero(variable), second: zero(variable) },
    ]),
  );
}

async function trainStep(
  model: LanguageModel,
  moments: Moments,
  [tokens, targets]: [tf.Tensor2D, tf.Tensor2D],
  learningRate: number,
  step: number,
  hyper: Hyper,
): Promise<{ loss: number; norm: number }> {
  const variables = Object.entries(model.variables());
  const { value, grads } = tf.variableGrads(
    () => model.loss(tokens, targets, inference),
    variables.map(([, variable]) => variable),
  );
  const parameters: AdamWParameter[] = variables.map(([name, parameter]) => ({
    parameter,
    gradient: grads[parameter.name]!,
    ...moments[name]!,
    decayed: model.decayed(name),
  }));
  const norm = adamWStep(parameters, {
    learningRate,
    beta1: hyper.betas[0],
    beta2: hyper.betas[1],
    epsilon: hyper.eps,
    weightDecay: hyper.weight_decay,
    clip: hyper.grad_clip,
    step: step + 1,
  });
  tf.dispose([grads, { tokens, targets }]);
  const [made] = await take(value);
  const [gradientNorm] = await take(norm);
  return { loss: made!, norm: gradientNorm! };
}

/** Tokens and targets of one step; the file holds [steps, batch, time]. */
function batch({ tensors }: Fixture, step: number): [tf.Tensor2D, tf.Tensor2D] {
  const of = (name: "tokens" | "targets") => {
    const { shape, data } = tensors[name]!;
    const [, rows, time] = shape as [number, number, number];
    const ids = (data as Int32Array).subarray(step * rows * time, (step + 1) * rows * time);
    return tf.tensor2d(ids, [rows, time], "int32");
  };
  return [of("tokens"), of("targets")];
}

async function distances(model: LanguageModel, { tensors }: Fixture, prefix: string): Promise<Record<string, number>> {
  const errors: Record<string, number> = {};
  for (const [name, { data }] of Object.entries(under(tensors, prefix))) {
    const actual = (await model.variables()[name]!.data()) as Float32Array;
    errors[`${prefix}${name}`] = absoluteError(actual, numbers(data));
  }
  return errors;
}
