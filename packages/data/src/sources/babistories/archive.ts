/**
 * The official BabiStories dataset: the archive in parts (babistories-dataset.7z.001, …), or the files in it:
 * traindataset.txt and valdataset.txt (or testdataset.txt), a JSON string on each line.
 */
import { basename, join } from "node:path";
import { makeFolder, parseConfig, UserError } from "@mm/run";
import { z } from "zod";
import type { Split } from "../../dataset/info.js";
import type { Document } from "../../dataset/text-batch.js";
import { checksum } from "../../files/checksum.js";
import { expandInputs } from "../../files/inputs.js";
import { jsonRecords, textField } from "../../files/json-records.js";
import { unpackSevenZip } from "../../files/seven-zip.js";
import { expectFiles, readText } from "../../files/text-stream.js";
import type { Source, SourceContext } from "../source.js";

export const BabiStoriesArchiveConfig = z.strictObject({
  files: z
    .array(z.string())
    .describe("the first part of the archive (….7z.001), or the files in it, or a folder with either"),
});
export type BabiStoriesArchiveConfig = z.input<typeof BabiStoriesArchiveConfig>;

const FIRST_PART = /\.7z(\.001)?$/;

export function babistoriesArchiveSource(config: BabiStoriesArchiveConfig): Source {
  const { files } = parseConfig(BabiStoriesArchiveConfig, config, { source: 'the source "babistories-archive"' });
  const inputs = expandInputs(files, ["dataset.txt", ".7z", ".7z.001"]);
  return {
    kind: "babistories-archive",
    description: "BabiStories, the stories that the authors of Memory Mosaics generated with Mixtral-8x7B.",
    synthetic: true,
    settings: {},
    async *documents(context): AsyncIterable<Document> {
      const texts = (await Promise.all(inputs.map((input) => unpack(input, context)))).flat();
      const chosen = chooseFiles(texts);
      expectFiles(
        chosen.map(({ path }) => path),
        context,
      );
      for (const { path, split } of chosen) {
        const name = basename(path);
        for await (const record of jsonRecords(readText(path, namedContext(context, name)), name)) {
          const text = textField(record, "text");
          if (text.trim() !== "") yield { text, split };
        }
      }
    },
  };
}

async function unpack(input: string, context: SourceContext): Promise<string[]> {
  if (!FIRST_PART.test(input)) return [input];
  const folder = join(context.scratch, basename(input));
  makeFolder(folder);
  const found = await unpackSevenZip(input, folder);
  context.noteFile(await checksum(input));
  return found;
}

/** Unpacked files are noted by their name: they lie in a temporary folder. */
function namedContext(context: SourceContext, name: string): SourceContext {
  return { ...context, noteFile: (file) => context.noteFile({ ...file, path: name }) };
}

/** valdataset.txt is the authors' validation set; where only testdataset.txt is there, that is. */
function chooseFiles(paths: readonly string[]): { path: string; split: Split }[] {
  const named = (name: string) => paths.filter((path) => basename(path) === `${name}dataset.txt`);
  const train = named("train");
  const valid = named("val").length > 0 ? named("val") : named("test");
  if (train.length === 0 || valid.length === 0) {
    throw new UserError(
      `Expected traindataset.txt and valdataset.txt (or testdataset.txt) but found: ${paths.map((path) => basename(path)).join(", ") || "nothing"}.`,
      { hint: "Give the first part of the archive (….7z.001), or a folder with the unpacked files." },
    );
  }
  return [
    ...train.map((path) => ({ path, split: "train" as const })),
    ...valid.map((path) => ({ path, split: "valid" as const })),
  ];
}
