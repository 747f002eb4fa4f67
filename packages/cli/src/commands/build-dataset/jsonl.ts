import { Args, Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";
import { datasetNameOf } from "../../dataset-name.js";

export default class BuildJsonl extends BuildCommand<typeof BuildJsonl> {
  static override summary = "Tokenize JSON lines: strings, or objects with a text field; JSON arrays work as well.";
  static override examples = [
    "<%= config.bin %> build-dataset jsonl stories.jsonl --field story",
    "<%= config.bin %> build-dataset jsonl 'shards/*.jsonl.gz' --out datasets/shards",
  ];
  static override strict = false;
  static override args = { files: Args.string({ description: 'Files, folders, patterns, or "-".', required: true }) };
  static override flags = { field: Flags.string({ summary: "The field that holds the text.", default: "text" }) };

  async run() {
    const { jsonlSource } = await import("@mm/data");
    return this.build(jsonlSource({ files: this.words, field: this.flags.field }), datasetNameOf(this.words[0]!));
  }
}
