import { Args, Flags } from "@oclif/core";
import { interruptible } from "../interrupt.js";
import { formatSeconds } from "../reporter.js";
import type { PartName } from "../reproduce/parts.js";
import type { Plan } from "../reproduce/plan.js";
import { TensorCommand } from "../tensor-command.js";

const PARTS = [
  "three-moons",
  "table1",
  "babistories",
  "attention",
  "regbench",
  "recall",
  "table2",
  "ablations",
] as const;

export default class Reproduce extends TensorCommand<typeof Reproduce> {
  static override summary = "Reproduce the paper: run what is missing, then draw and report everything.";
  static override description =
    "Work that is done is skipped, and a reproduction that was stopped or killed goes on where it was. Everything lies in results/reproduce/SCALE, with one page report.html and its tables as Markdown.";
  static override examples = [
    "<%= config.bin %> reproduce three-moons --scale laptop",
    "<%= config.bin %> reproduce all --scale tiny",
    "<%= config.bin %> reproduce babistories --scale paper --dry-run",
  ];
  static override args = {
    part: Args.string({ description: "Which part of the paper.", options: [...PARTS, "all"], default: "all" }),
  };
  static override flags = {
    scale: Flags.option({
      summary: "tiny: minutes, to see that it works; laptop: an evening; paper: the published sizes.",
      options: ["tiny", "laptop", "paper"] as const,
      default: "tiny",
    })(),
    "dry-run": Flags.boolean({ summary: "Only say what there is to do, and how long it would take on this machine." }),
  };

  async run() {
    const backend = await this.useBackend();
    const { part } = this.args;
    const names: readonly PartName[] = part === "all" ? PARTS : [part as PartName];
    if (this.flags["dry-run"]) {
      const { planReproduction } = await import("../reproduce/plan.js");
      const plan = await planReproduction(names, this.flags.scale);
      this.#print(plan);
      return plan;
    }
    const { reproduce } = await import("../reproduce/reproduce.js");
    const result = await interruptible(
      () => this.reporter.line("stopping after this step (Ctrl-C again to stop at once)"),
      (signal) => reproduce(names, this.flags.scale, { backend, reporter: this.reporter, signal }),
    );
    this.log(
      `\n${result.done.length} tasks done, ${result.skipped.length} skipped, in ${formatSeconds(result.seconds)}`,
    );
    for (const figure of result.figures) this.log(`figure   ${figure}`);
    this.log(`tables   ${result.markdown}\nreport   ${result.report}`);
    return result;
  }

  #print({ tasks, measuredFlops }: Plan): void {
    const columns = ["parameters", "tokens", "operations", "memory", "time"];
    const rows = tasks.map(({ name, done, parameters, tokens, flops, memory, seconds }) => [
      name,
      ...(parameters === undefined
        ? ["", "", "", ""]
        : [
            short(parameters),
            short(tokens!),
            short(flops!),
            `${(memory! / 2 ** 30).toLocaleString("en", { maximumSignificantDigits: 2 })} GiB`,
          ]),
      done ? "done" : seconds === undefined ? "" : duration(seconds),
    ]);
    const width = Math.max(...rows.map(([name]) => name!.length));
    for (const [name, ...cells] of [["", ...columns], ...rows])
      this.log(`${name!.padEnd(width)}${cells.map((cell) => cell.padStart(14)).join("")}`);
    if (measuredFlops === null) return;
    const total = tasks.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
    this.log(
      `\nLanguage models: ${duration(total)} at ${short(measuredFlops)} operations/s, measured just now on two short steps with one block; evaluations not counted.`,
    );
  }
}

function short(value: number): string {
  return new Intl.NumberFormat("en", {
    notation: value < 1e15 ? "compact" : "scientific",
    maximumSignificantDigits: 3,
  }).format(value);
}

function duration(seconds: number): string {
  const days = seconds / 86_400;
  if (days >= 730) return `${(days / 365.25).toFixed(0)} years`;
  return days >= 2 ? `${days.toFixed(0)} days` : formatSeconds(seconds);
}
