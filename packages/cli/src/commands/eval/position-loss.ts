import { Flags } from "@oclif/core";
import { TensorCommand } from "../../tensor-command.js";

export default class EvalPositionLoss extends TensorCommand<typeof EvalPositionLoss> {
  static override summary = "Measure the loss at each position of the window, on any dataset (Figure 8).";
  static override description =
    "With a dataset from elsewhere it shows how well a model learns in context out of its distribution: train on stories, evaluate on an encyclopedia.";
  static override examples = [
    "<%= config.bin %> eval position-loss --run results/runs/NAME",
    "<%= config.bin %> eval position-loss --run results/runs/A --run results/runs/B --dataset datasets/wikipedia --windows 512",
  ];
  static override flags = {
    run: Flags.string({
      char: "r",
      summary: "Runs to evaluate.",
      multiple: true,
      multipleNonGreedy: true,
      required: true,
    }),
    dataset: Flags.string({ char: "d", summary: "Folder of a dataset (default: the run's own)." }),
    split: Flags.option({ summary: "Which part of it.", options: ["train", "valid"] as const, default: "valid" })(),
    windows: Flags.integer({ summary: "Windows, spread evenly over the split.", default: 256, min: 1 }),
    batch: Flags.integer({ summary: "Windows at a time.", default: 8, min: 1 }),
  };

  async run() {
    await this.useBackend();
    const { measurePositionLoss } = await import("../../position-loss-run.js");
    const results = [];
    for (const path of this.flags.run) {
      const result = await measurePositionLoss(path, this.flags);
      results.push(result);
      this.log(
        `${result.run}: mean ${result.loss.toFixed(4)} nats over ${result.windows} windows of ${result.dataset} (${this.flags.split})`,
      );
    }
    this.log("Next: mm plot figures position-loss");
    return results;
  }
}
