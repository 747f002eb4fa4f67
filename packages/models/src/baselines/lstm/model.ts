/**
 * RegBench's LSTM: h of the recurrence (`recurrence.ts`) with u = W_ih x + b_ih + b_hh; both biases are trained, as in
 * PyTorch. Initially W_ih is uniform (Xavier), W_hh has orthonormal columns, and the forget gate's bias is 1.
 *
 * In the published frame only the last layer acts (`bare-layers.ts`).
 */
import { linear } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { Mode } from "../../model.js";
import { constant, type Initial, type ParameterTable, uniform } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import type { MixerKind } from "../backbone.js";
import { bareModel, bareParameters } from "../bare-layers.js";
import type { LstmConfig } from "./config.js";
import { orthonormalColumns } from "./orthonormal.js";
import { lstmStates } from "./recurrence.js";

/** 1 for the forget gate, the second of four parts, and 0 elsewhere. */
const rememberAtFirst: Initial = (_rng, size) =>
  Float32Array.from({ length: size }, (_, i) => (Math.floor((4 * i) / size) === 1 ? 1 : 0));

function lstmLayerParameters(width: number): ParameterTable {
  const bound = Math.sqrt(6 / (5 * width));
  return {
    "lstm.weight_ih_l0": { shape: [4 * width, width], initial: uniform(-bound, bound) },
    "lstm.weight_hh_l0": { shape: [4 * width, width], initial: orthonormalColumns(4 * width, width) },
    "lstm.bias_ih_l0": { shape: [4 * width], initial: rememberAtFirst },
    "lstm.bias_hh_l0": { shape: [4 * width], initial: constant(0) },
  };
}

class LstmLayer {
  constructor(private readonly scope: Scope) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, _mode: Mode): tf.Tensor3D {
    const scope = this.scope.at("lstm");
    const bias = tf.add<tf.Tensor1D>(scope.get("bias_ih_l0"), scope.get("bias_hh_l0"));
    return lstmStates(linear(x, scope.get<tf.Tensor2D>("weight_ih_l0"), bias), scope.get("weight_hh_l0"));
  }
}

export const lstmMixer: MixerKind<LstmConfig> = {
  positions: false,
  parameters: ({ width }) => lstmLayerParameters(width),
  build: (_config, scope) => new LstmLayer(scope),
};

export const lstmParameters = (config: LstmConfig) => bareParameters(config, lstmMixer);

export const lstm = (config: LstmConfig, variables: Record<string, tf.Variable>) =>
  bareModel(config, lstmMixer, variables);
