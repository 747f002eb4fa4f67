import { Args, Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";

export default class BuildWiki extends BuildCommand<typeof BuildWiki> {
  static override summary = "Tokenize WikiText or extracted Wikipedia articles, for the out-of-distribution test.";
  static override examples = [
    "<%= config.bin %> build-dataset wiki wiki.test.tokens --valid 0.5 --out datasets/wikitext",
  ];
  static override strict = false;
  static override args = { files: Args.string({ description: "Files, folders or patterns.", required: true }) };
  static override flags = {
    "keep-marks": Flags.boolean({ summary: "Keep the marks of WikiText (1 @,@ 000) as they are." }),
  };

  async run() {
    const { wikiSource } = await import("@mm/data");
    return this.build(wikiSource({ files: this.words, joinMarks: !this.flags["keep-marks"] }), "wiki");
  }
}
