/** One block: x ← x + Attn(ln_1(x)); x ← x + Mlp(ln_2(x)). */
import { dropoutAdd } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import { Attention, attentionParameters } from "../layers/attention.js";
import { applyLayerNorm, layerNormParameters } from "../layers/layer-norm.js";
import { Mlp, mlpParameters } from "../layers/mlp.js";
import { dropoutAt, type Mode, observe } from "../model.js";
import { type ParameterTable, under } from "../parameters.js";
import type { Scope } from "../scope.js";
import type { Gpt2Config } from "./config.js";

export const ATTENTION_NAMES = { input: "c_attn", output: "c_proj" };
export const MLP_NAMES = { input: "c_fc", output: "c_proj" };

/** Deviation of initial weights, and of those that write to the residual stream, which two branches a block add to. */
export const DEVIATION = 0.02;
const projectionDeviation = (blocks: number) => DEVIATION / Math.sqrt(2 * blocks);

export class Block {
  static parameters(config: Gpt2Config): ParameterTable {
    const norm = layerNormParameters(config.width, config.bias);
    const deviations = [DEVIATION, projectionDeviation(config.blocks)] as const;
    return {
      ...under("ln_1", norm),
      ...under("attn", attentionParameters(config, deviations, ATTENTION_NAMES)),
      ...under("ln_2", norm),
      ...under("mlp", mlpParameters(config, deviations, MLP_NAMES)),
    };
  }

  private readonly attention: Attention;
  private readonly mlp: Mlp;

  constructor(
    private readonly config: Gpt2Config,
    private readonly scope: Scope,
  ) {
    this.attention = new Attention(config.heads, config.dropout, scope.at("attn"), ATTENTION_NAMES);
    this.mlp = new Mlp(scope.at("mlp"), MLP_NAMES);
  }

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const attended = this.add(x, "ln_1", "attn", this.attention, mode);
    return this.add(attended, "ln_2", "mlp", this.mlp, mode);
  }

  private add(x: tf.Tensor3D, norm: string, name: string, branch: Attention | Mlp, mode: Mode): tf.Tensor3D {
    const path = (part: string) => this.scope.path(`${name}.${part}`);
    observe(mode, path("stream"), () => x);
    const added = branch.apply(applyLayerNorm(this.scope.at(norm), x), mode);
    observe(mode, path("output"), () => added);
    return dropoutAdd(x, added, dropoutAt(mode, path("residual"), this.config.dropout));
  }
}
