import { Args } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";

export default class BuildBabiStoriesArchive extends BuildCommand<typeof BuildBabiStoriesArchive> {
  static override summary = "Tokenize the official BabiStories archive, or the files unpacked from it.";
  static override examples = [
    "<%= config.bin %> build-dataset babistories-archive babistories-dataset.7z.001",
    "<%= config.bin %> build-dataset babistories-archive traindataset.txt valdataset.txt",
  ];
  static override strict = false;
  static override args = { files: Args.string({ description: "Files, folders or patterns.", required: true }) };

  async run() {
    const { babistoriesArchiveSource } = await import("@mm/data");
    return this.build(babistoriesArchiveSource({ files: this.words }), "babistories");
  }
}
