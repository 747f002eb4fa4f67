/**
 * One optimiser step over all parameters: clipping to a global norm, then AdamW (Loshchilov & Hutter, 2019), in place:
 *
 *   n = √Σ‖g‖²,  g ← g · min(1, clip/(n + 1e-6))
 *   p ← p·(1 − lr·wd)  for decayed parameters
 *   m ← β1·m + (1−β1)·g,   s ← β2·s + (1−β2)·g²
 *   p ← p − lr · m/(1−β1^t) / (√(s/(1−β2^t)) + ε)
 */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, type KernelContract, runKernel } from "./kernels.js";
import { expectShapes } from "./shapes.js";

/** A parameter with its gradient, its two moments, and whether weight decay applies to it. */
export interface AdamWParameter {
  parameter: tf.Variable;
  gradient: tf.Tensor;
  first: tf.Variable;
  second: tf.Variable;
  decayed: boolean;
}

export interface AdamWSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Number of this step, from 1. */
  step: number;
  /** Greatest global norm of the gradients; 0 or none: no clipping. */
  clip?: number;
}

/** @returns the global norm of the gradients before clipping */
export function adamWStep(parameters: readonly AdamWParameter[], settings: AdamWSettings): tf.Scalar {
  for (const { parameter, gradient, first, second } of parameters) {
    const shape = parameter.shape;
    expectShapes("adamWStep", { gradient: [gradient, shape], first: [first, shape], second: [second, shape] });
  }
  if (!hasKernel("AdamWStep")) return adamWStepPlain(parameters, settings);
  const inputs: KernelContract["AdamWStep"]["inputs"] = {};
  parameters.forEach(({ parameter, gradient, first, second }, index) => {
    inputs[`parameter${index}`] = parameter;
    inputs[`gradient${index}`] = gradient;
    inputs[`first${index}`] = first;
    inputs[`second${index}`] = second;
  });
  const decayed = parameters.map((each) => each.decayed);
  const attributes = { ...settings, clip: settings.clip ?? 0, count: parameters.length, decayed };
  return runKernel("AdamWStep", inputs, attributes)[0] as tf.Scalar;
}

export function adamWStepPlain(parameters: readonly AdamWParameter[], settings: AdamWSettings): tf.Scalar {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step, clip = 0 } = settings;
  return tf.tidy(() => {
    const squares = parameters.map(({ gradient }) => gradient.square().sum());
    const norm = (squares.length === 0 ? tf.scalar(0) : tf.addN(squares)).sqrt() as tf.Scalar;
    const factor = clip > 0 ? tf.minimum(1, tf.scalar(clip).div(norm.add(1e-6))) : tf.scalar(1);
    const firstCorrection = 1 - beta1 ** step;
    const secondCorrection = 1 - beta2 ** step;
    for (const { parameter, gradient, first, second, decayed } of parameters) {
      const clipped = gradient.mul(factor);
      first.assign(first.mul(beta1).add(clipped.mul(1 - beta1)));
      second.assign(second.mul(beta2).add(clipped.square().mul(1 - beta2)));
      const update = first.div(firstCorrection).div(second.div(secondCorrection).sqrt().add(epsilon));
      const shrunk = decayed ? parameter.mul(1 - learningRate * weightDecay) : parameter;
      parameter.assign(shrunk.sub(update.mul(learningRate)));
    }
    return norm;
  });
}
