import { Args, Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";

export default class BuildTinyStories extends BuildCommand<typeof BuildTinyStories> {
  static override summary = "Tokenize TinyStories as published: text, JSON shards or Parquet files.";
  static override examples = [
    "<%= config.bin %> build-dataset tinystories TinyStories-train.txt TinyStories-valid.txt",
    "<%= config.bin %> build-dataset tinystories TinyStories_all_data/",
  ];
  static override strict = false;
  static override args = { files: Args.string({ description: "Files, folders or patterns.", required: true }) };
  static override flags = {
    "merge-splits": Flags.boolean({ summary: "Split by story instead of by the names of the files." }),
  };

  async run() {
    const { tinystoriesSource } = await import("@mm/data");
    return this.build(tinystoriesSource({ files: this.words, keepSplit: !this.flags["merge-splits"] }), "tinystories");
  }
}
