export * from "./dataset/batches.js";
export {
  type BuildOptions,
  type BuildProgress,
  buildDataset,
  type DatasetSummary,
  SHARD_TOKENS,
} from "./dataset/build.js";
export { Dataset, openDataset } from "./dataset/dataset.js";
export { DatasetInfo, readDatasetInfo, SPLITS, type Split, type SplitInfo } from "./dataset/info.js";
export { firstStories, type SampleOptions, sampleDataset } from "./dataset/sample.js";
export { formatTableOne, tableOne } from "./dataset/statistics.js";
export { readStories, type StoryRow } from "./dataset/stories-file.js";
export type { Document } from "./dataset/text-batch.js";
export { TokenStream } from "./dataset/token-stream.js";
export { type VerifiedFile, verifyDataset } from "./dataset/verify.js";
export * from "./llm/index.js";
export { babistoriesArchiveSource } from "./sources/babistories/archive.js";
export * from "./sources/babistories/public.js";
export { huggingfaceSource } from "./sources/huggingface/index.js";
export { type SourceKind, type SourceName, sources } from "./sources/index.js";
export { jsonlSource } from "./sources/jsonl.js";
export { REGBENCH_ALPHABET, type RegBenchConfig, regbenchSource } from "./sources/regbench.js";
export type { Source, SourceContext } from "./sources/source.js";
export { StoriesConfig, storiesSource } from "./sources/stories/index.js";
export { FEATURES, type Feature, type StoryRequest } from "./sources/stories/scene.js";
export { type Story, writeStory } from "./sources/stories/story.js";
export { tableSource } from "./sources/table.js";
export { textSource } from "./sources/text.js";
export { tinystoriesSource } from "./sources/tinystories.js";
export { wikiSource } from "./sources/wiki.js";
export { gpt2Tokenizer } from "./tokenizers/gpt2.js";
export { tokenizerFor, tokenizers } from "./tokenizers/index.js";
export { SymbolTokenizer } from "./tokenizers/symbols.js";
export type { Tokenizer } from "./tokenizers/tokenizer.js";
