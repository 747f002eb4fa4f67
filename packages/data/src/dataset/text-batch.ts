/**
 * Documents on their way to the tokenizer: packed into batches of about a megabyte of UTF-8, which move between threads
 * without being copied. A document too long for a batch is cut into pieces where the cut changes no token: in front of
 * white space that follows something else, which always begins a new word.
 */
import type { Split } from "./info.js";

export interface Document {
  /** UTF-8 when given as bytes; it must be valid. */
  readonly text: string | Uint8Array;
  /** Overrides the split by hash, for sources that come with their own. */
  readonly split?: Split | undefined;
  /** True when the next item goes on with this document. */
  readonly more?: boolean;
}

export interface TextBatch {
  /** The text of all pieces, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The end of each piece in `bytes`. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** For each piece, MORE when its document goes on in the next piece, and the split that its source asks for. */
  readonly flags: Uint8Array<ArrayBuffer>;
}

export const MORE = 1;
export const TRAIN = 2;
export const VALID = 4;

const BATCH_BYTES = 1 << 20;
const MAX_PIECES = 1 << 14;

/** Packs documents into batches; pieces keep their order. */
export async function* packDocuments(
  documents: AsyncIterable<Document> | Iterable<Document>,
  batchBytes = BATCH_BYTES,
): AsyncGenerator<TextBatch> {
  const packer = new Packer(batchBytes);
  for await (const document of documents) {
    packer.add(document);
    yield* packer.full();
  }
  packer.end();
  yield* packer.full();
}

class Packer {
  readonly #batchBytes: number;
  readonly #full: TextBatch[] = [];
  #bytes: Uint8Array<ArrayBuffer>;
  #used = 0;
  #ends: number[] = [];
  #flags: number[] = [];
  /** The text of an unfinished document that comes after the last place where it may be cut. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
    this.#bytes = new Uint8Array(batchBytes);
  }

  add({ text, split, more = false }: Document): void {
    const wanted = split === undefined ? 0 : split === "train" ? TRAIN : VALID;
    if (typeof text === "string") {
      // Short strings are encoded in place; three bytes per UTF-16 unit always suffice.
      if (!more && this.#rest.length === 0 && text.length * 3 <= this.#bytes.length - this.#used) {
        this.#used += encoder.encodeInto(text, this.#bytes.subarray(this.#used)).written;
        this.#piece(wanted);
        return;
      }
      text = encoder.encode(text);
    }
    if (this.#rest.length > 0) text = Buffer.concat([this.#rest, text]);
    this.#rest = new Uint8Array(0);
    while (text.length > this.#batchBytes) {
      const cut = lastCut(text, this.#batchBytes) || firstCut(text, this.#batchBytes);
      if (cut === 0) break;
      this.#copy(text.subarray(0, cut), wanted | MORE);
      text = text.subarray(cut);
    }
    if (more) this.#rest = text.slice();
    else this.#copy(text, wanted);
  }

  /** Closes the last batch. */
  end(): void {
    if (this.#ends.length === 0) return;
    this.#full.push({
      bytes: this.#bytes.subarray(0, this.#used),
      ends: Uint32Array.from(this.#ends),
      flags: Uint8Array.from(this.#flags),
    });
    this.#bytes = new Uint8Array(this.#batchBytes);
    this.#used = 0;
    this.#ends = [];
    this.#flags = [];
  }

  *full(): Generator<TextBatch> {
    while (this.#full.length > 0) yield this.#full.shift()!;
  }

  #copy(text: Uint8Array, flags: number): void {
    if (text.length > this.#bytes.length - this.#used) {
      this.end();
      if (text.length > this.#bytes.length) this.#bytes = new Uint8Array(text.length);
    }
    this.#bytes.set(text, this.#used);
    this.#used += text.length;
    this.#piece(flags);
  }

  #piece(flags: number): void {
    this.#ends.push(this.#used);
    this.#flags.push(flags);
    if (this.#used >= this.#batchBytes || this.#ends.length === MAX_PIECES) this.end();
  }
}

const encoder = new TextEncoder();

/** A blank or line feed after something that is not ASCII white space nor part of a longer character. */
function mayCut(text: Uint8Array, at: number): boolean {
  const byte = text[at]!;
  if (byte !== 0x20 && byte !== 0x0a) return false;
  const before = text[at - 1]!;
  return before > 0x20 && before < 0x80;
}

/** The last place to cut in text[1, end), or 0. */
function lastCut(text: Uint8Array, end: number): number {
  for (let at = end - 1; at > 0; at--) if (mayCut(text, at)) return at;
  return 0;
}

/** The first place to cut from `start` on, or 0. */
function firstCut(text: Uint8Array, start: number): number {
  for (let at = Math.max(1, start); at < text.length; at++) if (mayCut(text, at)) return at;
  return 0;
}
