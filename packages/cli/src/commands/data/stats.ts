import { Args } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";

export default class DataStats extends BaseCommand<typeof DataStats> {
  static override summary = "Print what a dataset holds: the paper's Table 1 for it, tokenizer, sources, digest.";
  static override examples = ["<%= config.bin %> data stats datasets/stories"];
  static override args = { dataset: Args.string({ description: "Folder of the dataset.", required: true }) };

  async run() {
    const { formatTableOne, openDataset } = await import("@mm/data");
    const dataset = openDataset(this.args.dataset);
    const { info } = dataset;
    dataset.close();
    this.log(`${info.description}\n\n${formatTableOne(info)}\n`);
    this.log(`tokenizer  ${info.tokenizer.name} (${info.tokenizer.vocabulary.toLocaleString("en")} tokens)`);
    for (const { path, bytes, sha256 } of info.source.files)
      this.log(`source     ${path} (${bytes.toLocaleString("en")} bytes, sha256 ${sha256})`);
    this.log(`digest     ${info.digest}`);
    return info;
  }
}
