import { Args, Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";
import { datasetNameOf } from "../../dataset-name.js";

export default class BuildText extends BuildCommand<typeof BuildText> {
  static override summary = "Tokenize plain text: files, folders, patterns, gzip files, or the standard input.";
  static override examples = [
    "<%= config.bin %> build-dataset text book.txt",
    "<%= config.bin %> build-dataset text 'corpus/**/*.txt.gz' --documents file --out datasets/corpus",
    "zcat corpus.gz | <%= config.bin %> build-dataset text - --documents separator --out datasets/corpus",
  ];
  static override strict = false;
  static override args = { files: Args.string({ description: 'Files, folders, patterns, or "-".', required: true }) };
  static override flags = {
    documents: Flags.option({
      summary: "What counts as one document: some paragraphs, a file, or what stands between separators.",
      options: ["passage", "file", "separator"] as const,
      default: "passage",
    })(),
    separator: Flags.string({ summary: "The separator between documents.", default: "<|endoftext|>" }),
  };

  async run() {
    const { textSource } = await import("@mm/data");
    const { documents, separator } = this.flags;
    return this.build(textSource({ files: this.words, documents, separator }), datasetNameOf(this.words[0]!));
  }
}
