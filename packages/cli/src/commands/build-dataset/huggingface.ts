import { Args, Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";
import { datasetNameOf } from "../../dataset-name.js";

export default class BuildHuggingFace extends BuildCommand<typeof BuildHuggingFace> {
  static override summary = "Download a dataset repository of the Hugging Face hub and tokenize it.";
  static override description =
    "Interrupted downloads go on where they stopped; every file is checked against the hub's checksum.";
  static override examples = [
    '<%= config.bin %> build-dataset huggingface roneneldan/TinyStories --pattern "data/*.parquet"',
  ];
  static override args = { repository: Args.string({ description: "owner/name", required: true }) };
  static override flags = {
    revision: Flags.string({ summary: "A branch, tag or commit.", default: "main" }),
    pattern: Flags.string({ summary: "Which files of the repository (default: all text, JSON, Parquet and Arrow)." }),
    field: Flags.string({ summary: "The field or column that holds the text.", default: "text" }),
    endpoint: Flags.string({ summary: "Another hub of the same protocol.", default: "https://huggingface.co" }),
  };

  async run() {
    const { huggingfaceSource } = await import("@mm/data");
    const { repository } = this.args;
    const { revision, pattern, field, endpoint } = this.flags;
    return this.build(huggingfaceSource({ repository, revision, pattern, field, endpoint }), datasetNameOf(repository));
  }
}
