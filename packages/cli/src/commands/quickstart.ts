import { Flags } from "@oclif/core";
import { interruptible } from "../interrupt.js";
import { formatSeconds } from "../reporter.js";
import { TensorCommand } from "../tensor-command.js";

export default class Quickstart extends TensorCommand<typeof Quickstart> {
  static override summary = "Do everything once at a small size: build, train two models, test on RegBench, plot.";
  static override description =
    "Builds a dataset of synthetic stories, trains a Memory Mosaic and a GPT-2 twin of the same size, scores both by position and on RegBench, and draws the figures into results/quickstart.";
  static override examples = ["<%= config.bin %> quickstart", "<%= config.bin %> quickstart --scale tiny --json"];
  static override flags = {
    scale: Flags.option({
      summary: "laptop: up to six minutes on two cores; tiny: one minute.",
      options: ["laptop", "tiny"] as const,
      default: "laptop",
    })(),
  };

  async run() {
    const backend = await this.useBackend();
    const { quickstart } = await import("../quickstart/quickstart.js");
    const result = await interruptible(
      () => this.reporter.line("stopping after this step (Ctrl-C again to stop at once)"),
      (signal) => quickstart(this.flags.scale, { backend, reporter: this.reporter, signal }),
    );
    this.#print(result);
    return result;
  }

  #print({
    seconds,
    models,
    figures,
    report,
    dataset,
  }: Awaited<ReturnType<typeof import("../quickstart/quickstart.js").quickstart>>): void {
    const columns = ["", ...models.map(({ model }) => model)];
    const rows = [
      ["parameters", ...models.map(({ parameters }) => parameters.toLocaleString("en"))],
      ["valid loss (nats/token)", ...models.map(({ validLoss }) => validLoss.toFixed(3))],
      ["  early in the window", ...models.map(({ earlyLoss }) => earlyLoss.toFixed(3))],
      ["  late in the window", ...models.map(({ lateLoss }) => lateLoss.toFixed(3))],
      ["training tokens/s", ...models.map(({ tokensPerSecond }) => Math.round(tokensPerSecond).toLocaleString("en"))],
      ["RegBench accuracy", ...models.map(({ regbenchAccuracy }) => regbenchAccuracy.toFixed(3))],
      [
        "RegBench TVD (lower is better)",
        ...models.map(({ regbenchTotalVariation }) => regbenchTotalVariation.toFixed(3)),
      ],
    ];
    this.log("");
    for (const [name, ...cells] of [columns, ...rows])
      this.log(`${name!.padEnd(32)}${cells.map((cell) => cell.padStart(16)).join("")}`);
    this.log(
      `\nDone in ${formatSeconds(seconds)}. Small models, short training on synthetic stories: a demonstration, not the paper's results.`,
    );
    this.log(`report   ${report}`);
    for (const figure of figures) this.log(`figure   ${figure}`);
    this.log(
      [
        "",
        "Next:",
        `  mm train --dataset ${dataset} --recipe stories/mosaic     train longer`,
        "  mm eval regbench --model memory-mosaic --environments 100   the published protocol",
        "  mm build-dataset text YOUR-FILES                            your own text",
        "  mm list                                                     everything there is",
      ].join("\n"),
    );
  }
}
