/**
 * Mamba (arXiv 2312.00752, section 3.4): a gated state-space layer whose dynamics depend on the token,
 *
 *   (u, z) = W_in x,  ũ = silu(conv(u)),  (r, B, C) = W_x ũ,  δ = softplus(W_dt r + b_dt),
 *   h_t = e^{δ A} h_{t−1} + δ B_t ũ_t,  y = h·C + D ũ,   out = W_out (y ⊙ silu(z)),   A = −e^{A_log}
 *
 * B and C are shared by all channels, δ is per channel. Initial values are those of the published package (`mamba_ssm`),
 * also in the frame of blocks.
 */
import { selectiveScan } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear } from "../../layers/linear.js";
import { silu } from "../../layers/silu.js";
import type { Mode } from "../../model.js";
import { constant, type Initial, type Parameter, type ParameterTable, under, uniform } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import type { MixerKind } from "../backbone.js";
import { bareModel, bareParameters } from "../bare-layers.js";
import { applyShortConvolution, shortConvolutionParameters } from "../short-convolution.js";
import type { MambaConfig } from "./config.js";

/** Initial step sizes, log-uniform. */
const [SMALLEST_STEP, LARGEST_STEP] = [1e-3, 1e-1];
/** Channels per rank of the map to step sizes. */
const STEP_RANK = 16;

const rankOf = ({ width }: MambaConfig) => Math.ceil(width / STEP_RANK);

function parameters(config: MambaConfig): ParameterTable {
  const { width, stateSize, expansion, convolutionLength } = config;
  const channels = expansion * width;
  const rank = rankOf(config);
  return under("inner_mamba", {
    A_log: { shape: [channels, stateSize], initial: logarithms(stateSize) },
    D: { shape: [channels], initial: constant(1) },
    "in_proj.weight": matrix(width, 2 * channels),
    ...under("conv1d", shortConvolutionParameters(channels, convolutionLength)),
    "x_proj.weight": matrix(channels, rank + 2 * stateSize),
    "dt_proj.weight": matrix(rank, channels),
    "dt_proj.bias": { shape: [channels], initial: stepBias },
    "out_proj.weight": matrix(channels, width),
  });
}

/** PyTorch's default: uniform within ±1/√input. */
const matrix = (input: number, output: number): Parameter => ({
  shape: [output, input],
  initial: uniform(-1 / Math.sqrt(input), 1 / Math.sqrt(input)),
});

/** ln 1, ln 2, …, ln N in every channel. */
const logarithms =
  (stateSize: number): Initial =>
  (_rng, size) =>
    Float32Array.from({ length: size }, (_, at) => Math.log(1 + (at % stateSize)));

/** softplus⁻¹ of step sizes δ: δ + ln(1 − e^{−δ}). */
const stepBias: Initial = (rng, size) =>
  rng.uniforms(size, Math.log(SMALLEST_STEP), Math.log(LARGEST_STEP)).map((logarithm) => {
    const step = Math.exp(logarithm);
    return step + Math.log(-Math.expm1(-step));
  });

class Mamba {
  constructor(
    private readonly config: MambaConfig,
    private readonly scope: Scope,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, _mode: Mode): tf.Tensor3D {
    const { scope } = this;
    const { stateSize } = this.config;
    const [inner, gate] = tf.split(applyLinear(scope.at("in_proj"), x), 2, 2) as [tf.Tensor3D, tf.Tensor3D];
    const u = silu(applyShortConvolution(scope.at("conv1d"), inner));
    const sizes = [rankOf(this.config), stateSize, stateSize];
    const [ranks, input, output] = tf.split(applyLinear(scope.at("x_proj"), u), sizes, 2) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ];
    const delta = tf.softplus(applyLinear(scope.at("dt_proj"), ranks));
    const dynamics = tf.neg(tf.exp(scope.get<tf.Tensor2D>("A_log")));
    const scanned = selectiveScan(u, delta, dynamics, input, output);
    const y = tf.add<tf.Tensor3D>(scanned, tf.mul(u, scope.get<tf.Tensor1D>("D")));
    return applyLinear(scope.at("out_proj"), tf.mul(y, silu(gate)));
  }
}

export const mambaMixer: MixerKind<MambaConfig> = {
  positions: false,
  parameters,
  build: (config, scope) => new Mamba(config, scope.at("inner_mamba")),
};

export const mambaParameters = (config: MambaConfig) => bareParameters(config, mambaMixer);

export const mamba = (config: MambaConfig, variables: Record<string, tf.Variable>) =>
  bareModel(config, mambaMixer, variables);
