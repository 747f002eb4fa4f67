/** Logits, loss and the gradient of every parameter of a language model. */
import * as tf from "@tensorflow/tfjs";
import { modelFromTensors } from "../from-tensors.js";
import { inference, type LanguageModel } from "../model.js";
import type { SafetensorsTensor } from "../safetensors.js";
import type { ModelConfig } from "../zoo.js";
import { type Fixture, under } from "./fixture.js";
import { absoluteError, type Measure, relativeNorm, worstOf } from "./measure.js";

export interface Tolerances {
  /** Absolute. */
  readonly logits: number;
  /** Absolute. */
  readonly loss: number;
  /** Norm of the difference relative to the norm, for the worst parameter. */
  readonly gradient: number;
}

/**
 * Limits for float32. A head above the clamp has an inverse temperature of e^10, which magnifies rounding; the reference's
 * own float32 run is off by more there, too.
 */
function tolerances({ entry }: Fixture): Tolerances {
  const clamped = (entry["config"] as { clamp?: boolean }).clamp === true;
  return { logits: clamped ? 2e-3 : 1e-4, loss: 1e-5, gradient: clamped ? 1e-2 : 3e-3 };
}

export const languageModelParity =
  (configOf: (fixture: Fixture) => ModelConfig) =>
  async (fixture: Fixture): Promise<Measure[]> => {
    const { entry, tensors } = fixture;
    const model = modelFromTensors(configOf(fixture), under(tensors, "param/"), entry.file);
    try {
      return await compare(model, fixture, tolerances(fixture));
    } finally {
      model.dispose();
    }
  };

/** Compares a model that has the weights of a fixture with its `logits`, `loss` and `grad/*`. */
export async function compare(
  model: LanguageModel,
  { entry, tensors }: Fixture,
  limits: Tolerances,
): Promise<Measure[]> {
  const tokens = integers(tensors["tokens"]!);
  const targets = tf.tidy(() => tf.maximum<tf.Tensor2D>(integers(tensors["targets"]!), tf.scalar(-1, "int32"))); // some code ignores −100
  try {
    const logits = await take(model.logits(tokens));
    const { loss, gradients } = await lossAndGradients(model, tokens, targets);
    const errors = Object.fromEntries(
      Object.entries(under(tensors, "grad/")).map(([name, { data }]) => [
        name,
        relativeNorm(gradients[name]!, numbers(data)),
      ]),
    );
    return [
      { quantity: "logits", error: absoluteError(logits, numbers(tensors["logits"]!.data)), tolerance: limits.logits },
      { quantity: "loss", error: Math.abs(loss - (entry["loss"] as number)), tolerance: limits.loss },
      worstOf("gradient", errors, limits.gradient),
    ];
  } finally {
    tf.dispose([tokens, targets]);
  }
}

/** The loss and its gradient by every parameter, without dropout; parameters that do not act get zeros. */
export async function lossAndGradients(
  model: LanguageModel,
  tokens: tf.Tensor2D,
  targets: tf.Tensor2D,
): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
  const variables = Object.entries(model.variables());
  const { value, grads } = tf.variableGrads(
    () => model.loss(tokens, targets, inference),
    variables.map(([, variable]) => variable),
  );
  const gradients: Record<string, Float32Array> = {};
  for (const [name, variable] of variables) {
    const gradient = grads[variable.name];
    gradients[name] = gradient ? await take(gradient) : new Float32Array(variable.size);
  }
  const [loss] = await take(value);
  return { loss: loss!, gradients };
}

/** Token ids of a file as a tensor. */
export function integers({ shape, data }: SafetensorsTensor): tf.Tensor2D {
  return tf.tensor2d(data as Int32Array, shape as [number, number], "int32");
}

/** The values of a tensor, which is freed. */
export async function take(tensor: tf.Tensor): Promise<Float32Array> {
  const values = (await tensor.data()) as Float32Array;
  tensor.dispose();
  return values;
}

export function numbers(data: SafetensorsTensor["data"]): ArrayLike<number> {
  return data as Float32Array;
}
