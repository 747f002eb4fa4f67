/** A generated corpus as a source: the two files which the stages before left, a JSON string on each line. */
import { jsonRecords, textField } from "../../files/json-records.js";
import { expectFiles, readText } from "../../files/text-stream.js";
import { identityOf } from "../../llm/endpoint.js";
import type { Source } from "../source.js";
import type { BabiStoriesConfig } from "./config.js";
import { TRAIN_FILE, VALID_FILE } from "./generate.js";
import type { WorkFolder } from "./work-folder.js";

/** @param folder after `generateBabiStories` */
export function babistoriesSource(config: BabiStoriesConfig, folder: WorkFolder): Source {
  const { count, seed, endpoint, stories, cleaning, split } = config;
  return {
    kind: "babistories",
    description: `Synthetic: children's stories in the manner of BabiStories, written by ${endpoint.model}.`,
    synthetic: true,
    settings: { count, seed, ...identityOf(endpoint), stories, cleaning, split },
    valid: split.valid,
    async *documents(context) {
      const files = [
        { name: TRAIN_FILE, split: "train" as const },
        { name: VALID_FILE, split: "valid" as const },
      ];
      expectFiles(
        files.map(({ name }) => folder.file(name)),
        context,
      );
      for (const { name, split } of files) {
        const named = {
          ...context,
          noteFile: (file: { bytes: number; sha256: string }) => context.noteFile({ ...file, path: name }),
        };
        for await (const record of jsonRecords(readText(folder.file(name), named), name)) {
          yield { text: textField(record, "text"), split };
        }
      }
    },
  };
}
