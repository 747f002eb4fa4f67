/** Training steps of several models side by side. */
import type { Shape } from "./shapes.js";
import { median } from "./statistics.js";
import { TrainBench } from "./train-bench.js";

export interface ModelSpeed {
  model: string;
  blocks: number;
  width: number;
  parameters: number;
  /** Median over the rounds, each of which is a median over steps. */
  milliseconds: number;
  rounds: number[];
  tokensPerSecond: number;
  /** Its tokens per second over those of the first model. */
  share: number;
}

/**
 * Rounds of all models alternate, so that a busy moment of the machine strikes all of them. The first model is the one
 * that the others are compared with.
 *
 * @param seconds of each measurement
 * @param onRound told the milliseconds per step of each model
 * @param onMeasured given each model when all rounds are done, to look into a step of it
 */
export async function compareModels(
  shapes: Readonly<Record<string, Shape>>,
  { rounds, seconds }: { rounds: number; seconds: number },
  onRound: (milliseconds: readonly number[]) => void,
  onMeasured: (model: string, bench: TrainBench) => Promise<void>,
): Promise<ModelSpeed[]> {
  const benches = Object.entries(shapes).map(([model, shape]) => ({
    model,
    shape,
    bench: new TrainBench(shape),
    times: [] as number[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { bench, shape, times } of benches) times.push((await bench.measure(shape, seconds)).medianMilliseconds);
    onRound(benches.map(({ times }) => times.at(-1)!));
  }
  const speed = ({ bench, times }: (typeof benches)[number]) => (1000 * bench.tokens) / median(times);
  const speeds = benches.map((one) => {
    const { blocks, width } = one.bench.config;
    return {
      model: one.model,
      blocks,
      width,
      parameters: one.bench.parameterCount,
      milliseconds: median(one.times),
      rounds: one.times,
      tokensPerSecond: speed(one),
      share: speed(one) / speed(benches[0]!),
    };
  });
  for (const { model, bench } of benches) {
    await onMeasured(model, bench);
    bench.dispose();
  }
  return speeds;
}
