/**
 * Hyena's implicit filter: a small network with sine activations turns features of the time t into one tap for each
 * channel, and an exponential window, fixed, lets it fade,
 *
 *   z ← sin(f ⊙ (W z + b)) three times with one f,   h_tc = (W₆ z_t)_c e^{−τ |δ_c|},   τ = t/(l − 1)
 *
 * features of t: τ, cos(φ₁ω), cos(φ₂ω), −sin(φ₁ω), −sin(φ₂ω) with ω = 2πt/l and φ = (10⁻⁴, 1). l is the length that
 * filters are made for, whatever the length of the sequence.
 */
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../../layers/linear.js";
import { constant, normal, type ParameterTable, under } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import { DEVIATION } from "../backbone.js";
import type { HyenaConfig } from "./config.js";

const BANDS = [1e-4, 1];
const FEATURES = 1 + 2 * BANDS.length;

/** Hidden layers by the published names, which count activations, too. */
const HIDDEN = ["0", "2", "4"];

/** The window of a channel falls to 1 % at between 0.3 and 1.5 of the filter's length. */
const FASTEST = Math.log(0.01) / 0.3;
const SLOWEST = Math.log(0.01) / 1.5;

export function filterParameters({ width, filterWidth }: HyenaConfig): ParameterTable {
  const layers = {
    ...under("0", linearParameters(FEATURES, filterWidth, true, DEVIATION)),
    "1.freq": { shape: [1, filterWidth], initial: constant(10) },
    ...under("2", linearParameters(filterWidth, filterWidth, true, DEVIATION)),
    ...under("4", linearParameters(filterWidth, filterWidth, true, DEVIATION)),
    ...under("6", linearParameters(filterWidth, width, false, DEVIATION)),
  };
  const exempt = Object.entries(layers).map(([name, parameter]) => [name, { ...parameter, decayed: false }]);
  return {
    bias: { shape: [width], initial: normal(1) },
    ...under("implicit_filter", Object.fromEntries(exempt)),
  };
}

/** @returns h [channels, time] */
export function implicitFilter({ width, filterLength }: HyenaConfig, scope: Scope, time: number): tf.Tensor2D {
  const frequency = scope.get<tf.Tensor2D>("1.freq");
  let z: tf.Tensor2D = timeFeatures(time, filterLength);
  for (const name of HIDDEN) z = tf.sin(tf.mul(frequency, applyLinear(scope.at(name), z)));
  return tf.transpose(tf.mul(applyLinear(scope.at("6"), z), window(time, width, filterLength)));
}

/** [time, FEATURES] */
function timeFeatures(time: number, length: number): tf.Tensor2D {
  const rows = Array.from({ length: time }, (_, t) => {
    const angles = BANDS.map((band) => (band * 2 * Math.PI * t) / length);
    return [t / (length - 1), ...angles.map(Math.cos), ...angles.map((angle) => -Math.sin(angle))];
  });
  return tf.tensor2d(rows);
}

/** e^{−τ |δ_c|} with δ evenly spaced over the channels: [time, channels] */
function window(time: number, channels: number, length: number): tf.Tensor2D {
  const rates = tf.linspace(SLOWEST, channels === 1 ? SLOWEST : FASTEST, channels);
  const tau = tf.div<tf.Tensor1D>(tf.range(0, time), length - 1);
  return tf.exp(tf.outerProduct(tau, rates)) as tf.Tensor2D; // rates are negative
}
