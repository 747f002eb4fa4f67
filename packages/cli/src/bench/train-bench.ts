/** Times whole training steps (forward, backward, clip, AdamW) on random tokens. */
import { countParameters, createModel, type MemoryMosaicConfig, ModelConfig, modelParameters } from "@mm/models";
import { parseConfig, Rng } from "@mm/run";
import { AdamW, passesOf, type TrainingBatch, trainStep } from "@mm/train";
import { mosaicStepFlops, type Shape } from "./shapes.js";
import { median } from "./statistics.js";

export interface StepTimes {
  /** Of single steps, in milliseconds. */
  medianMilliseconds: number;
  fastestMilliseconds: number;
  steps: number;
  tokensPerSecond: number;
  parameters: number;
  /** Of the matrix products of a step; null for models whose count is not known. */
  gigaflop: number | null;
  /** Largest resident memory of this process so far, in bytes. */
  peakMemory: number;
}

export class TrainBench {
  readonly #model;
  readonly #optimizer;
  readonly #batches: TrainingBatch[];
  readonly #rng = Rng.fromSeed(1);
  readonly config: ModelConfig;
  readonly tokens: number;

  constructor({ model, batch, length }: Shape) {
    this.config = parseConfig(ModelConfig, model, { source: "the shape" });
    this.#model = createModel(this.config, this.#rng.fork("init"));
    this.#optimizer = new AdamW(this.#model.variables(), (name) => this.#model.decayed(name), {
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0.1,
      clip: 1,
    });
    this.tokens = batch * length;
    const draw = this.#rng.fork("tokens");
    const ids = () => Int32Array.from({ length: this.tokens }, () => draw.integer(0, this.config.vocabulary));
    this.#batches = [{ tokens: ids(), targets: ids(), length }];
  }

  get parameterCount(): number {
    return countParameters(modelParameters(this.config));
  }

  async step(index: number): Promise<number> {
    const record = await trainStep(passesOf(this.#model), this.#optimizer, this.#batches, {
      learningRate: 1e-3,
      dropout: this.#rng.fork(index),
    });
    return record.milliseconds;
  }

  /** Two steps to warm up, then at least `least` steps and `seconds` seconds. */
  async measure(shape: Shape, seconds: number, least = 3): Promise<StepTimes> {
    for (let index = 0; index < 2; index++) await this.step(index);
    const times: number[] = [];
    const end = performance.now() + 1000 * seconds;
    while (times.length < least || performance.now() < end) times.push(await this.step(times.length));
    const medianMilliseconds = median(times);
    const { config } = this;
    return {
      medianMilliseconds,
      fastestMilliseconds: Math.min(...times),
      steps: times.length,
      tokensPerSecond: (1000 * this.tokens) / medianMilliseconds,
      parameters: this.parameterCount,
      gigaflop:
        config.kind === "memory-mosaic"
          ? mosaicStepFlops(config as MemoryMosaicConfig, shape.batch, shape.length) / 1e9
          : null,
      peakMemory: process.resourceUsage().maxRSS * 1024,
    };
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.#model.dispose();
  }
}
