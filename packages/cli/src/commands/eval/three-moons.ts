import { join } from "node:path";
import { applySettings } from "@mm/run";
import { Flags } from "@oclif/core";
import { interruptible } from "../../interrupt.js";
import { parseIntegers } from "../../number-lists.js";
import { RUNS } from "../../places.js";
import { TensorCommand } from "../../tensor-command.js";

export default class EvalThreeMoons extends TensorCommand<typeof EvalThreeMoons> {
  static override summary = "Train and look into memories that predict three moons: does each head take one?";
  static override description =
    "Stores the error of what a memory generates after prompts of every length, trajectories, attention and weights. The published plot compares each generated step with the truth one step before it: --set evaluation.alignment=published does so, too; evaluation.cache=false reads the whole past anew at every step. A finished run is not repeated.";
  static override examples = [
    "<%= config.bin %> eval three-moons",
    "<%= config.bin %> eval three-moons --set batch=16 --set evaluation.windows=128",
    "<%= config.bin %> eval three-moons --set evaluation.alignment=published --force",
  ];
  static override flags = {
    heads: Flags.string({ summary: "Numbers of heads, separated by commas: 1 or 3.", default: "1,3" }),
    set: Flags.string({
      char: "s",
      summary: "Set one field, such as iterations=200.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    force: Flags.boolean({ summary: "Replace finished runs." }),
  };

  async run() {
    const { readMetrics, RunFolder } = await import("@mm/run");
    const { moonsTasks } = await import("../../reproduce/tasks.js");
    const heads = parseIntegers(this.flags.heads, "--heads", 1);
    const tasks = moonsTasks(RUNS, applySettings({}, this.flags.set) as object, heads);
    const todo = tasks.filter((task) => this.flags.force || !task.done());
    const backend = await this.useBackend();
    await interruptible(
      () => this.reporter.line("stopping; what is unfinished starts anew next time"),
      async (signal) => {
        for (const task of todo) await task.run({ backend, reporter: this.reporter, signal });
      },
    );
    const results = tasks.map(({ name }) => {
      const run = RunFolder.open(join(RUNS, name));
      const rows = readMetrics(run.path);
      const measured = (metric: string, tag: string, value: string) =>
        rows.find(({ metric: name, tags }) => name === metric && tags[tag] === value)?.value ?? null;
      return {
        run: run.path,
        accurateFrom: {
          train: measured("accurateFrom", "triple", "train"),
          heldOut: measured("accurateFrom", "triple", "held-out"),
        },
        disentanglement: measured("disentanglement", "matrix", "all"),
      };
    });
    for (const { run, accurateFrom, disentanglement } of results)
      this.log(
        `${run}: accurate from a prompt of ${accurateFrom.train ?? "–"} steps (held-out periods: ${accurateFrom.heldOut ?? "–"}); one moon per head: ${disentanglement?.toFixed(2)}`,
      );
    this.log("Next: mm plot figures three-moons-error three-moons-weights");
    return results;
  }
}
