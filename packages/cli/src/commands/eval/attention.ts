import { Flags } from "@oclif/core";
import { TensorCommand } from "../../tensor-command.js";

export default class EvalAttention extends TensorCommand<typeof EvalAttention> {
  static override summary = "See where the last position looks, and what each head has learned (Figure 10).";
  static override description =
    "Stores the weights with which the last position of a window reads the earlier ones, averaged over windows, for every head; and of Memory Mosaics every head's forgetting rate, bandwidth and value mixing at each checkpoint that was kept.";
  static override examples = [
    "<%= config.bin %> eval attention --run results/runs/MOSAIC --run results/runs/GPT2",
    "<%= config.bin %> eval attention --run results/runs/NAME --windows 256 --split train",
  ];
  static override flags = {
    run: Flags.string({
      char: "r",
      summary: "Runs to look into.",
      multiple: true,
      multipleNonGreedy: true,
      required: true,
    }),
    dataset: Flags.string({ char: "d", summary: "Folder of a dataset (default: the run's own)." }),
    split: Flags.option({ summary: "Which part of it.", options: ["train", "valid"] as const, default: "valid" })(),
    windows: Flags.integer({ summary: "Windows, spread evenly over the split.", default: 64, min: 1 }),
  };

  async run() {
    await this.useBackend();
    const { measureAttention } = await import("../../attention-run.js");
    const results = [];
    for (const path of this.flags.run) {
      const result = await measureAttention(path, this.flags);
      results.push(result);
      const { run, heads, windows, nearestEighth, checkpoints } = result;
      this.log(
        `${run}: ${heads} heads over ${windows} windows; ${(100 * nearestEighth).toFixed(0)} % of the attention on the nearest eighth; ${checkpoints} ${checkpoints === 1 ? "checkpoint" : "checkpoints"}`,
      );
    }
    this.log("Next: mm plot figures attention-curves head-parameters");
    return results;
  }
}
