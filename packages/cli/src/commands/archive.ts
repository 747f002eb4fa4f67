import { Args } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { ARCHIVE } from "../places.js";

export default class Archive extends BaseCommand<typeof Archive> {
  static override summary = "Keep the scores of runs in results/archive, small enough for version control.";
  static override description =
    "Of each run its configuration, provenance and scores are kept, without weights, learning curves and what was measured by position. Figures read archived runs as they read those in results/runs.";
  static override examples = ["<%= config.bin %> archive results/runs/regbench-memory-mosaic-100-seed0"];
  static override strict = false;
  static override args = { run: Args.string({ description: "Folders of finished runs.", required: true }) };

  async run() {
    const { archiveRun, RunFolder } = await import("@mm/run");
    const folders = this.words.map((path) => archiveRun(RunFolder.open(path), ARCHIVE));
    for (const folder of folders) this.log(folder);
    return { folders };
  }
}
