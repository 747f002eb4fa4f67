/** Compares ids with those of tiktoken, OpenAI's own implementation (its WebAssembly build), on a sample of documents. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Text kept for the comparison. */
const SAMPLE_BYTES = 1 << 18;
const FIRST_DOCUMENTS = 64;
/** After the first documents, those whose hash is a multiple of this are taken. */
const EVERY = 97;

export class Oracle {
  readonly #samples: { text: string; ids: Uint16Array }[] = [];
  #seen = 0;
  #bytes = 0;

  /** Decides, the same way in every build, whether to take a document into the sample. */
  wants(hash: number, bytes: number): boolean {
    this.#seen++;
    return this.#bytes + bytes <= SAMPLE_BYTES && (this.#seen <= FIRST_DOCUMENTS || hash % EVERY === 0);
  }

  /** @param ids without the end-of-text token */
  add(text: string, ids: Uint16Array): void {
    this.#samples.push({ text, ids });
    this.#bytes += text.length;
  }

  /** @throws Error when tiktoken gives other ids: a bug, never the user's fault */
  async verify(): Promise<{ oracle: string; documents: number; tokens: number }> {
    const { get_encoding } = await import("tiktoken");
    const encoding = get_encoding("gpt2");
    let tokens = 0;
    try {
      for (const { text, ids } of this.#samples) {
        const expected = encoding.encode_ordinary(text);
        if (ids.length !== expected.length || expected.some((id, index) => id !== ids[index])) {
          throw new Error(`our tokens differ from tiktoken's for ${JSON.stringify(text.slice(0, 500))}`);
        }
        tokens += ids.length;
      }
    } finally {
      encoding.free();
    }
    return { oracle: `tiktoken ${version()}`, documents: this.#samples.length, tokens };
  }
}

function version(): string {
  const folder = dirname(createRequire(import.meta.url).resolve("tiktoken"));
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}
