/**
 * One block of v2: the reads of the short-term and the long-term memory side by side through one map, then the
 * persistent memory.
 *
 *   n = ln1(x),  x ← x + W_o [Short(n), Long(n)];   x ← x + Per(ln2(x))
 */
import { dropoutAdd } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLayerNorm, layerNormParameters } from "../layers/layer-norm.js";
import { applyLinear } from "../layers/linear.js";
import { dropoutAt, type Mode, observe } from "../model.js";
import { clippedNormal, type ParameterTable, under } from "../parameters.js";
import type { Scope } from "../scope.js";
import { type MemoryMosaicV2Config, matrixDeviation } from "./config.js";
import { ContextualMemory, type Reach, shortReach } from "./contextual-memory.js";
import { PersistentMemory } from "./persistent-memory.js";

export class Block {
  /** @param block its index, from 0 */
  static parameters(config: MemoryMosaicV2Config, block: number): ParameterTable {
    const { width, longTerm } = config;
    const reads = longTerm ? 2 * width : width;
    const norm = layerNormParameters(width, false);
    return {
      ...under("ln1", norm),
      ...under("short", ContextualMemory.parameters(config, block)),
      ...(longTerm ? under("long", ContextualMemory.parameters(config, block)) : {}),
      "c_proj.weight": { shape: [width, reads], initial: clippedNormal(matrixDeviation(width, block)) },
      ...under("ln2", norm),
      ...under("pmem", PersistentMemory.parameters(config, block)),
    };
  }

  private readonly short: ContextualMemory;
  private readonly long: ContextualMemory | undefined;
  private readonly persistent: PersistentMemory;

  constructor(
    private readonly config: MemoryMosaicV2Config,
    private readonly scope: Scope,
  ) {
    this.short = new ContextualMemory(config, scope.at("short"));
    this.long = config.longTerm ? new ContextualMemory(config, scope.at("long")) : undefined;
    this.persistent = new PersistentMemory(scope.at("pmem"));
  }

  /**
   * @param x [batch, time, width]
   * @param far what the long-term memory reads in this pass
   * @returns [batch, time, width]
   */
  apply(x: tf.Tensor3D, far: Reach, mode: Mode): tf.Tensor3D {
    const input = applyLayerNorm(this.scope.at("ln1"), x);
    const near = this.short.apply(input, shortReach(this.config), mode);
    const reads = this.long === undefined ? near : tf.concat([near, this.long.apply(input, far, mode)], 2);
    const remembered = this.add(x, applyLinear(this.scope.at("c_proj"), reads), "context", mode);
    const known = this.persistent.apply(applyLayerNorm(this.scope.at("ln2"), remembered), mode);
    return this.add(remembered, known, "pmem", mode);
  }

  private add(x: tf.Tensor3D, added: tf.Tensor3D, name: string, mode: Mode): tf.Tensor3D {
    const path = (part: string) => this.scope.path(`${name}.${part}`);
    observe(mode, path("stream"), () => x);
    observe(mode, path("output"), () => added);
    return dropoutAdd(x, added, dropoutAt(mode, path("residual"), this.config.residualDropout));
  }
}
