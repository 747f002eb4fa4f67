/**
 * Hyena of order two (arXiv 2302.10866): a long convolution between two gates,
 *
 *   (x₀, x₁, v) = short(W_in x + b_in),   out = W_out (x₀ ⊙ (h ∗ (x₁ ⊙ v) + bias ⊙ x₁ ⊙ v)) + b_out
 *
 * `short` is a causal convolution over three tokens. It has no recurrent form: the filter h (`filter.ts`) is a function of
 * the distance in time.
 */
import { causalConvolution } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../../layers/linear.js";
import { type Mode, observe } from "../../model.js";
import { type ParameterTable, under } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import { backboneModel, backboneParameters, DEVIATION, type MixerKind, outputDeviation } from "../backbone.js";
import { withDirectTerm } from "../modes.js";
import { applyShortConvolution, shortConvolutionParameters } from "../short-convolution.js";
import type { HyenaConfig } from "./config.js";
import { filterParameters, implicitFilter } from "./filter.js";

const SHORT_TAPS = 3;

function parameters(config: HyenaConfig): ParameterTable {
  const { width } = config;
  return {
    ...under("out_proj", linearParameters(width, width, true, outputDeviation(config))),
    ...under("in_proj", linearParameters(width, 3 * width, true, DEVIATION)),
    ...under("short_filter", shortConvolutionParameters(3 * width, SHORT_TAPS)),
    ...under("filter_fn", filterParameters(config)),
  };
}

class Hyena {
  constructor(
    private readonly config: HyenaConfig,
    private readonly scope: Scope,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { scope } = this;
    const short = applyShortConvolution(scope.at("short_filter"), applyLinear(scope.at("in_proj"), x));
    const [outer, inner, values] = tf.split(short, 3, 2) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const filter = implicitFilter(this.config, scope.at("filter_fn.implicit_filter"), x.shape[1]);
    observe(mode, scope.path("filter"), () => filter);
    const read = causalConvolution(tf.mul(values, inner), withDirectTerm(filter, scope.get("filter_fn.bias")));
    return applyLinear(scope.at("out_proj"), tf.mul(read, outer));
  }
}

export const hyenaMixer: MixerKind<HyenaConfig> = {
  positions: false,
  parameters,
  build: (config, scope) => new Hyena(config, scope),
};

export const hyenaParameters = (config: HyenaConfig) => backboneParameters(config, hyenaMixer);

export const hyena = (config: HyenaConfig, variables: Record<string, tf.Variable>) =>
  backboneModel(config, hyenaMixer, variables);
