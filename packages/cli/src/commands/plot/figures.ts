import { existsSync } from "node:fs";
import { UserError } from "@mm/run";
import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { DATASETS, RESULTS } from "../../places.js";

export default class PlotFigures extends BaseCommand<typeof PlotFigures> {
  static override summary = "Draw the paper's figures and tables from the results of past runs.";
  static override description =
    "Reads results/runs and datasets, never a model, so any laptop redraws the paper. Writes results/tables/NAME.csv and .arrow, and results/figures/NAME.svg, .png and .pdf. What cannot be drawn yet is listed with the command that produces it.";
  static override examples = [
    "<%= config.bin %> plot figures",
    "<%= config.bin %> plot figures fig7 fig9 --format svg --format pdf",
  ];
  static override strict = false;
  static override args = {
    name: Args.string({
      description: "Figures (see mm list figures), such as loss-curves or fig9; all when none is named.",
    }),
  };
  static override flags = {
    results: Flags.string({ summary: "Folder of the results.", default: RESULTS }),
    datasets: Flags.string({ summary: "Folder of the datasets, for their statistics.", default: DATASETS }),
    out: Flags.string({ char: "o", summary: "Where tables/ and figures/ go (default: the results folder)." }),
    format: Flags.option({
      summary: "Picture formats (default: all).",
      options: ["svg", "png", "pdf"] as const,
      multiple: true,
      multipleNonGreedy: true,
    })(),
  };

  async run() {
    const { plotFigures } = await import("@mm/figures");
    const { results, datasets, out, format } = this.flags;
    if (results !== RESULTS && !existsSync(results)) {
      throw new UserError(`Expected a folder of results in ${results} but found nothing.`, {
        hint: "Give the folder that holds runs/.",
      });
    }
    const outcomes = await plotFigures(this.words, {
      resultsFolder: results,
      datasetsFolder: datasets,
      ...(out !== undefined && { outFolder: out }),
      ...(format !== undefined && { formats: format }),
    });
    for (const outcome of outcomes) {
      if (outcome.status === "drawn") this.log(`drawn    ${outcome.name.padEnd(26)} ${outcome.files.at(-1)}`);
      else this.log(`missing  ${outcome.name.padEnd(26)} get it with: ${outcome.command}`);
    }
    return outcomes.map((outcome) =>
      outcome.status === "drawn"
        ? { name: outcome.name, status: outcome.status, files: outcome.files, runs: outcome.runs }
        : { name: outcome.name, status: outcome.status, message: outcome.message, command: outcome.command },
    );
  }
}
