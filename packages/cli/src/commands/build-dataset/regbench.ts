import { Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";

export default class BuildRegbench extends BuildCommand<typeof BuildRegbench> {
  static override summary = "Write RegBench's problems as a dataset: one text per random language, 20 symbols.";
  static override description =
    "`mm eval regbench` makes its problems itself; this dataset is for reading them, or for training on them as plain text.";
  static override examples = ["<%= config.bin %> build-dataset regbench --environments 2500"];
  static override flags = {
    environments: Flags.integer({ char: "e", summary: "Number of languages.", default: 1000, min: 1 }),
    seed: Flags.integer({ summary: "Seed of the problems.", default: 0, min: 0 }),
  };

  async run() {
    const { regbenchSource, REGBENCH_ALPHABET } = await import("@mm/data");
    const { buildProblems } = await import("@mm/regbench");
    const { environments, seed } = this.flags;
    const { train } = buildProblems({ environments, valid: 0, test: 0, seed });
    const text = (tokens: Int32Array) => Array.from(tokens, (token) => REGBENCH_ALPHABET[token]).join("");
    const source = regbenchSource({
      settings: { environments, seed },
      problems: () => train.map((problem) => ({ text: text(problem.text) })),
    });
    return this.build(source, "regbench");
  }
}
