/**
 * RegBench's problems as a dataset. The languages and their samples come from outside (the package that knows automata),
 * as text: words of letters joined by "|".
 */
import type { Document } from "../dataset/text-batch.js";
import { SymbolTokenizer } from "../tokenizers/symbols.js";
import type { Source } from "./source.js";

/** RegBench's twenty symbols in the order of their ids: padding, the letters, the end of a word. */
export const REGBENCH_ALPHABET = ".abcdefghijklmnopqr|";

export interface RegBenchConfig {
  /** Everything that decides the problems: environments, seed, …; stored with the dataset. */
  readonly settings: Record<string, unknown>;
  /** The problems in a fixed order; blanks between symbols are allowed. */
  problems(): Iterable<Document> | AsyncIterable<Document>;
}

export function regbenchSource({ settings, problems }: RegBenchConfig): Source {
  return {
    kind: "regbench",
    description: "RegBench: samples of random probabilistic automata, one problem per document.",
    synthetic: true,
    settings,
    tokenizer: new SymbolTokenizer(REGBENCH_ALPHABET),
    documents: problems,
  };
}
