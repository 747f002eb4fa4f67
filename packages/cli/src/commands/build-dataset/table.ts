import { Args, Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";
import { datasetNameOf } from "../../dataset-name.js";
export default class BuildTable extends BuildCommand<typeof BuildTable> {
  static override summary = "Tokenize a text column of Parquet or Arrow files.";
  static override examples = ["<%= config.bin %> build-dataset table stories.parquet --column story"];
  static override strict = false;
  static override args = { files: Args.string({ description: "Files, folders or patterns.", required: true }) };
  static override flags = { column: Flags.string({ summary: "The column that holds the text.", default: "text" }) };

  async run() {
    const { tableSource } = await import("@mm/data");
    return this.build(tableSource({ files: this.words, column: this.flags.column }), datasetNameOf(this.words[0]!));
  }
}
