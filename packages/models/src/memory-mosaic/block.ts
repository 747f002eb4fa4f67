/**
 * One block: a contextual, then a persistent memory, each a branch of the residual stream.
 *
 *   normalised before (default):  x ← x + Ctx(ln1(x));  x ← x + Per(ln2(x))
 *   normalised after:             x ← ln1(x); x ← x + Ctx(x);  x ← ln2(x); x ← x + Per(x)
 */
import { dropoutAdd } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { ATTENTION_NAMES, MLP_NAMES } from "../gpt2/block.js";
import { Attention, attentionParameters, type BranchDeviations } from "../layers/attention.js";
import { applyLayerNorm, layerNormParameters } from "../layers/layer-norm.js";
import { Mlp, mlpParameters } from "../layers/mlp.js";
import { dropoutAt, type Mode, observe } from "../model.js";
import { type ParameterTable, under } from "../parameters.js";
import type { Scope } from "../scope.js";
import { type MemoryMosaicConfig, projectionDeviation } from "./config.js";
import { ContextualMemory } from "./contextual-memory.js";
import { PersistentMemory } from "./persistent-memory.js";

/** What adds to the residual stream: a memory, or what an ablation puts in its place. */
interface Branch {
  readonly norm: Scope;
  readonly scope: Scope;
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D;
}

export class Block {
  static parameters(config: MemoryMosaicConfig): ParameterTable {
    const { width, bias, contextualOnly } = config;
    const norm = layerNormParameters(width, bias);
    return {
      ...under("ln1", norm),
      ...under("attn", contextualParameters(config)),
      ...(contextualOnly ? {} : { ...under("ln2", norm), ...persistentParameters(config) }),
    };
  }

  private readonly branches: readonly Branch[];

  constructor(
    private readonly config: MemoryMosaicConfig,
    scope: Scope,
  ) {
    const contextual = contextualBranch(config, scope);
    this.branches = config.contextualOnly ? [contextual] : [contextual, persistentBranch(config, scope)];
  }

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    // What the gradient does not need of a branch is freed with the branch, not with the whole forward pass.
    return this.branches.reduce((stream, branch) => tf.tidy(() => this.add(stream, branch, mode)), x);
  }

  private add(x: tf.Tensor3D, branch: Branch, mode: Mode): tf.Tensor3D {
    const path = (part: string) => branch.scope.path(part);
    observe(mode, path("stream"), () => x);
    const normalised = applyLayerNorm(branch.norm, x);
    observe(mode, path("input"), () => normalised);
    const added = branch.apply(normalised, mode);
    observe(mode, path("output"), () => added);
    const residual = this.config.preNorm ? x : normalised;
    return dropoutAdd(residual, added, dropoutAt(mode, path("residual"), this.config.residualDropout));
  }
}

function contextualParameters(config: MemoryMosaicConfig): ParameterTable {
  if (config.contextualRead === "memory") return ContextualMemory.parameters(config);
  return attentionParameters(config, deviations(config), ATTENTION_NAMES);
}

function contextualBranch(config: MemoryMosaicConfig, scope: Scope): Branch {
  const norm = scope.at("ln1");
  const attn = scope.at("attn");
  const memory =
    config.contextualRead === "memory"
      ? new ContextualMemory(config, attn)
      : new Attention(config.heads, config.contextualDropout, attn, ATTENTION_NAMES);
  return { norm, scope: attn, apply: (x, mode) => memory.apply(x, mode) };
}

function persistentParameters(config: MemoryMosaicConfig): ParameterTable {
  if (config.persistentRead === "memory") return under("pmem", PersistentMemory.parameters(config));
  return under("mlp", mlpParameters(config, deviations(config), MLP_NAMES));
}

function persistentBranch(config: MemoryMosaicConfig, scope: Scope): Branch {
  const norm = scope.at("ln2");
  const part = config.persistentRead === "memory" ? scope.at("pmem") : scope.at("mlp");
  const memory = config.persistentRead === "memory" ? new PersistentMemory(config, part) : new Mlp(part, MLP_NAMES);
  return { norm, scope: part, apply: (x, mode) => memory.apply(x, mode) };
}

/** The memories' initialisation, for what an ablation puts in their place. */
function deviations(config: MemoryMosaicConfig): BranchDeviations {
  return [1 / Math.sqrt(config.width), projectionDeviation(config)];
}
