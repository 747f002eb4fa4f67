import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { RUNS, SWEEPS } from "../../places.js";

export default class SweepStatus extends BaseCommand<typeof SweepStatus> {
  static override summary = "Show how far a sweep is: finished, running, failed and why, the best so far.";
  static override examples = [
    "<%= config.bin %> sweep status memory-mosaic",
    "<%= config.bin %> sweep status regbench --limit 600 --json",
  ];
  static override args = {
    name: Args.string({ description: "Name of the sweep, or its recipe.", required: true }),
  };
  static override flags = {
    limit: Flags.integer({ summary: "Lines of the table printed.", default: 20, min: 1 }),
  };

  async run() {
    const { sweepName } = await import("../../sweep/recipe.js");
    const { countStates, formatReports, reportSweep } = await import("../../sweep/report.js");
    const { SweepFolder } = await import("../../sweep/sweep-folder.js");
    const folder = new SweepFolder(SWEEPS, sweepName(this.args.name));
    const runs = reportSweep(folder.read(), folder, RUNS);
    this.log(formatReports(runs, this.flags.limit));
    this.log(countStates(runs));
    return { name: folder.name, runs };
  }
}
