/** The paper's Table 1 for any dataset: documents, tokens, mean characters per document. */
import type { EncodedBatch } from "./encode.js";
import { type DatasetInfo, type ShardInfo, SPLITS, type Split, type SplitInfo } from "./info.js";
import { MORE } from "./text-batch.js";

/** Counts the documents of one split as they pass. */
export class SplitCounter {
  documents = 0;
  tokens = 0;
  characters = 0;
  bytes = 0;
  #longest = 0;
  /** Tokens of the document that goes on. */
  #current = 0;

  add({ ends, flags, tokenEnds, characters }: EncodedBatch, splits: readonly Split[], split: Split): void {
    for (let piece = 0; piece < ends.length; piece++) {
      if (splits[piece] !== split) continue;
      const tokens = tokenEnds[piece]! - (tokenEnds[piece - 1] ?? 0);
      this.tokens += tokens;
      this.characters += characters[piece]!;
      this.bytes += ends[piece]! - (ends[piece - 1] ?? 0);
      this.#current += tokens;
      if (flags[piece]! & MORE) continue;
      this.#longest = Math.max(this.#longest, this.#current);
      this.#current = 0;
      this.documents++;
    }
  }

  finish(shards: ShardInfo[]): SplitInfo {
    const { documents, tokens, characters, bytes } = this;
    const mean = (count: number) => (documents === 0 ? 0 : count / documents);
    return {
      documents,
      tokens,
      characters,
      bytes,
      meanTokens: mean(tokens),
      meanCharacters: mean(characters),
      longest: this.#longest,
      shards,
    };
  }
}

/** One row per split, with the columns of the paper's Table 1 and the mean token count. */
export function tableOne(info: DatasetInfo): Record<string, string | number>[] {
  return SPLITS.map((split) => {
    const { documents, tokens, meanCharacters, meanTokens } = info.splits[split];
    return {
      dataset: info.synthetic ? `${info.name} (synthetic)` : info.name,
      partition: split,
      stories: documents,
      tokens,
      "characters per story": Math.round(meanCharacters),
      "tokens per story": Math.round(meanTokens),
    };
  });
}

/** Table 1 as text with aligned columns. */
export function formatTableOne(info: DatasetInfo): string {
  const rows = tableOne(info);
  const names = Object.keys(rows[0]!);
  const cells = [names, ...rows.map((row) => names.map((name) => formatCell(row[name]!)))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function formatCell(value: string | number): string {
  return typeof value === "number" ? value.toLocaleString("en-US") : value;
}
