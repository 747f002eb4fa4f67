/**
 * Encyclopaedias as text, for the out-of-distribution test of the paper's Fig. 8: WikiText ("= Title =" above each
 * article) and the output of WikiExtractor ("<doc …>" around each article), as one makes it from a dump of Simple English
 * Wikipedia. For Parquet dumps use the source "table".
 */
import { parseConfig } from "@mm/run";
import { z } from "zod";
import type { Document } from "../dataset/text-batch.js";
import { expandInputs } from "../files/inputs.js";
import { lines } from "../files/split-text.js";
import { expectFiles, readText } from "../files/text-stream.js";
import type { Source } from "./source.js";
import { TEXT_ENDINGS } from "./text.js";

export const WikiConfig = z.strictObject({
  files: z.array(z.string()).describe('files, folders, patterns, or "-" for the standard input'),
  joinMarks: z.boolean().default(true).describe("undo WikiText's marks: 1 @,@ 000 becomes 1,000"),
});
export type WikiConfig = z.input<typeof WikiConfig>;

export function wikiSource(config: WikiConfig): Source {
  const { files, joinMarks } = parseConfig(WikiConfig, config, { source: 'the source "wiki"' });
  const inputs = expandInputs(files, [...TEXT_ENDINGS, ".tokens", ".raw", ""]);
  return {
    kind: "wiki",
    description: `Articles of ${inputs.length === 1 ? inputs[0] : `${inputs.length} files`}.`,
    synthetic: false,
    settings: { joinMarks },
    async *documents(context): AsyncIterable<Document> {
      expectFiles(inputs, context);
      for (const input of inputs) yield* articles(readText(input, context), joinMarks);
    },
  };
}

const HEADING = /^ ?= [^=].*[^=] = ?$|^ ?= [^=] = ?$/;
const OPEN = /^<doc(?: [^>]*)?>$/;
const CLOSE = "</doc>";

async function* articles(text: AsyncIterable<Buffer>, joinMarks: boolean): AsyncGenerator<Document> {
  let article: string[] = [];
  const finish = (): Document[] => {
    let whole = article.join("\n").trim();
    article = [];
    if (joinMarks) whole = whole.replace(/ @([-,.])@ /g, "$1");
    return whole === "" ? [] : [{ text: whole }];
  };
  for await (const { line } of lines(text)) {
    const words = line.toString("utf8");
    const isMark = OPEN.test(words) || words === CLOSE;
    if (isMark || HEADING.test(words)) yield* finish();
    if (!isMark) article.push(words);
  }
  yield* finish();
}
