/** What a dataset is built from. */
import type { SourceFile } from "../dataset/info.js";
import type { Document } from "../dataset/text-batch.js";
import type { Tokenizer } from "../tokenizers/tokenizer.js";

export interface Source {
  /** The kind's name, as in `mm build-dataset KIND`. */
  readonly kind: string;
  /** One sentence for people: what the text is and where it comes from. */
  readonly description: string;
  /** True when a program wrote the text. */
  readonly synthetic: boolean;
  /** Everything that decides what the documents are, stored with the dataset. */
  readonly settings: Record<string, unknown>;
  /** GPT-2's tokenizer where not given. */
  readonly tokenizer?: Tokenizer;
  /** The share of documents that go to validation unless the build asks for another; 0.01 where not given. */
  readonly valid?: number;
  /** The documents in a fixed order, the same at each call. */
  documents(context: SourceContext): AsyncIterable<Document> | Iterable<Document>;
}

export interface SourceContext {
  /** A folder for temporary files, removed after the build. */
  readonly scratch: string;
  readonly signal?: AbortSignal | undefined;
  /** Notes a file once it was read whole, in the order of reading. */
  noteFile(file: SourceFile): void;
  /** Tells the progress display how much there is to read, once known. */
  expectBytes(bytes: number): void;
}
