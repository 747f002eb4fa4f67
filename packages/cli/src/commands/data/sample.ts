import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";

export default class DataSample extends BaseCommand<typeof DataSample> {
  static override summary = "Print random documents of a dataset, decoded from its tokens.";
  static override examples = ["<%= config.bin %> data sample datasets/stories --count 5"];
  static override args = { dataset: Args.string({ description: "Folder of the dataset.", required: true }) };
  static override flags = {
    count: Flags.integer({ char: "n", summary: "How many.", default: 3, min: 1 }),
    seed: Flags.integer({ summary: "Another seed shows others.", default: 0, min: 0 }),
    split: Flags.option({ summary: "Which part.", options: ["train", "valid"] as const, default: "train" })(),
  };

  async run() {
    const { sampleDataset } = await import("@mm/data");
    const documents = sampleDataset(this.args.dataset, this.flags);
    this.log(documents.join("\n\n────\n\n"));
    return documents;
  }
}
