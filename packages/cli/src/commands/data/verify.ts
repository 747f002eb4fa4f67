import { UserError } from "@mm/run";
import { Args } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";

export default class DataVerify extends BaseCommand<typeof DataVerify> {
  static override summary = "Check a dataset against its own description: checksums, token range, end-of-text counts.";
  static override examples = ["<%= config.bin %> data verify datasets/stories"];
  static override args = { dataset: Args.string({ description: "Folder of the dataset.", required: true }) };

  async run() {
    const { verifyDataset } = await import("@mm/data");
    const files = [];
    for await (const file of verifyDataset(this.args.dataset)) {
      files.push(file);
      this.log(
        `${file.problems.length === 0 ? "✓" : "✗"} ${file.file.padEnd(24)} ${file.bytes.toLocaleString("en").padStart(15)} bytes  ${file.problems.join("; ")}`,
      );
    }
    const wrong = files.filter(({ problems }) => problems.length > 0);
    if (wrong.length > 0) {
      throw new UserError(
        `Expected ${this.args.dataset} to be as its dataset.json says, but ${wrong.map(({ file, problems }) => `${file}: ${problems.join(", ")}`).join("; ")}.`,
        { hint: "Build it again with --force." },
      );
    }
    return files;
  }
}
