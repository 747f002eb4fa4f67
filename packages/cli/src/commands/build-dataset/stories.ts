import { Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";

export default class BuildStories extends BuildCommand<typeof BuildStories> {
  static override summary = "Write synthetic children's stories in the manner of BabiStories, and tokenize them.";
  static override description =
    "A seeded grammar and plot generator of our own: names, wants, obstacles, dialogue and endings, with required words and features as in the BabiStories prompts. It needs no download and no language model; datasets made by it are labelled synthetic.";
  static override examples = [
    "<%= config.bin %> build-dataset stories",
    "<%= config.bin %> build-dataset stories --count 100000 --seed 2 --out datasets/stories-100k",
  ];
  static override flags = {
    count: Flags.integer({ char: "n", summary: "Number of stories.", default: 20_000, min: 1 }),
    seed: Flags.integer({ summary: "Another seed gives other stories.", default: 1, min: 0 }),
  };

  async run() {
    const { storiesSource } = await import("@mm/data");
    return this.build(storiesSource({ count: this.flags.count, seed: this.flags.seed }), "stories");
  }
}
