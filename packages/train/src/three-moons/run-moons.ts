/** One three-moons run: training, then everything that the figures show, into a run folder. */
import type { MetricRow, RunFolder } from "@mm/run";
import type { ThreeMoonsConfig } from "./config.js";
import { measureMoons } from "./measure-moons.js";
import { type MoonProgress, trainMoons } from "./train-moons.js";

const LOG_EVERY = 10;

/**
 * A training is short and starts anew when it was interrupted.
 *
 * @returns whether it came to its end
 */
export async function runMoons(
  config: ThreeMoonsConfig,
  run: RunFolder,
  { onProgress, signal }: { onProgress?: (progress: MoonProgress) => void; signal?: AbortSignal } = {},
): Promise<boolean> {
  run.start();
  run.metrics.rewind(-1);
  const append = (step: number, split: string, rows: readonly Pick<MetricRow, "metric" | "value" | "tags">[]) =>
    run.metrics.append(rows.map((row) => ({ run: run.name, step, split, ...row })));
  const { heads } = config.memory;
  const memory = await trainMoons(config, {
    onProgress: (progress) => {
      const { iteration, loss } = progress;
      if (iteration === 1 || iteration % LOG_EVERY === 0)
        append(iteration, "train", [{ metric: "clippedSquaredError", value: loss, tags: { heads } }]);
      onProgress?.(progress);
    },
    ...(signal && { signal }),
  });
  try {
    if (signal?.aborted) {
      run.interrupt();
      return false;
    }
    append(config.iterations, "test", await measureMoons(memory, config));
    await run.metrics.export();
    run.finish();
    return true;
  } finally {
    memory.dispose();
  }
}
