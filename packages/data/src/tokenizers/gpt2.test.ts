import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { encode as gptTokenizerEncode } from "gpt-tokenizer/encoding/r50k_base";
import { get_encoding } from "tiktoken";
import { CLASSES, LETTER, NUMBER, OTHER, SPACE } from "./character-classes.js";
import { Gpt2Tokenizer } from "./gpt2.js";
import { mergeLongWord, mergeShortWord } from "./merge.js";
import { PairTable } from "./pair-table.js";
import { gpt2Vocabulary } from "./vocabulary.js";
import { WordTable } from "./word-table.js";

const tokenizer = new Gpt2Tokenizer();
const oracle = get_encoding("gpt2");
/** Lone halves of surrogate pairs become U+FFFD. */
const wellFormed = (text: string) => Buffer.from(text, "utf8").toString("utf8");
const same = (text: string) => {
  const ids = tokenizer.encode(text);
  const expected = oracle.encode_ordinary(text);
  // Matchers are slow for long arrays: they are only asked when something is wrong.
  if (ids.length !== expected.length || ids.some((id, index) => id !== expected[index])) {
    expect([...ids]).toEqual([...expected]);
  }
};

describe("GPT-2's tokenizer", () => {
  it("gives the ids known from GPT-2", () => {
    expect([...tokenizer.encode("Hello world")]).toEqual([15496, 995]);
    expect([...tokenizer.encode("Once upon a time, there was a cat.")]).toEqual([
      7454, 2402, 257, 640, 11, 612, 373, 257, 3797, 13,
    ]);
  });

  it("takes the end-of-text mark in a text for text", () => {
    same("one<|endoftext|>two");
    expect([...tokenizer.encode("<|endoftext|>")]).not.toContain(50256);
  });

  it.each([
    ["contractions", "I'm you're he's we've they'll she'd don't 'tis 'S I'M x'll' 'r're 're '"],
    ["white space", "a  b   c \n\n  d\t\te \r\n f   "],
    ["only white space", "   \n\n\t "],
    ["white space of Unicode", "a\u00a0b\u2003 c\u3000\u3000d\u0085e\ufefff\u180eg\u2028 \u1680h"],
    ["numbers", "3.14 1,000 ２０２６ ½ Ⅻ x² 12345678901234567890"],
    ["scripts", "Привет, мир! 你好，世界。こんにちは 안녕하세요 مرحبا नमस्ते สวัสดี Ελληνικά עברית"],
    ["emoji and joiners", "👩‍👩‍👧‍👦 🇨🇭 👍🏽 ❤️ e\u0301 \u200d \u{10ffff}"],
    ["signs", "!!! ... --- ==> {{[]}} \\n $5 #1 @x ~`^|"],
    ["a long word", "a".repeat(1000) + "ab".repeat(500) + "—".repeat(300)],
    ["nothing", ""],
  ])("agrees with tiktoken on %s", (_, text) => same(text));

  it("agrees with tiktoken on arbitrary text", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.string({ unit: "grapheme", maxLength: 20 }),
      fc.constantFrom(" ", "  ", "\n", "'s", "'ll", "the", " cat", " 12", "...", "\u00a0", "é"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => same(wellFormed(pieces.join("")))),
      { numRuns: 1500, seed: 1 },
    );
  });

  it("agrees with gpt-tokenizer on words of every length", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."etaoinshrdlu"), minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(letters, (word) => expect(tokenizer.encode(word).join()).toBe(gptTokenizerEncode(word).join())),
      { numRuns: 500, seed: 2 },
    );
  });

  it("gives the text back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed(text));
      }),
    );
    expect(tokenizer.decode([15496, 50256])).toBe("Hello<|endoftext|>");
    expect(() => tokenizer.decode([50257])).toThrow(RangeError);
  });

  it("never gives more ids than bytes, so that a buffer of that size suffices", () => {
    const bytes = new TextEncoder().encode("\u{10ffff}".repeat(50));
    const out = new Uint16Array(bytes.length + 1).fill(0xffff);
    const end = tokenizer.encodeBytes(bytes, 0, bytes.length, out, 0);
    expect(end).toBeLessThanOrEqual(bytes.length);
    expect(out[end]).toBe(0xffff);
  });

  it("does not change when the table of words is full and starts anew", () => {
    const fresh = new Gpt2Tokenizer();
    const words = Array.from({ length: 250_000 }, (_, index) => ` q${(index * 7919).toString(36)}z`).join("");
    expect(fresh.encode(words).length).toBeGreaterThan(500_000);
    expect(fresh.encode(words.slice(0, 5000)).join()).toBe(tokenizer.encode(words.slice(0, 5000)).join());
  });
});

describe("the merge loops", () => {
  it("agree with each other", () => {
    const vocabulary = gpt2Vocabulary();
    const words = new WordTable(vocabulary);
    const pairs = new PairTable(vocabulary, words);
    const byteTokens = Uint16Array.from({ length: 256 }, (_, byte) => words.tokenOf(Uint8Array.of(byte), 0, 1));
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 });
    const text = fc.string({ unit: fc.constantFrom(..."aaab e"), minLength: 1, maxLength: 60 });
    const input = fc.oneof(
      bytes,
      text.map((string) => new TextEncoder().encode(string)),
    );
    fc.assert(
      fc.property(input, (word) => {
        const parts = Uint16Array.from(word, (byte) => byteTokens[byte]!);
        const count = mergeShortWord(parts, word.length, pairs);
        const out = new Uint16Array(word.length);
        const end = mergeLongWord(word, 0, word.length, byteTokens, pairs, out, 0);
        expect(out.subarray(0, end).join()).toBe(parts.subarray(0, count).join());
      }),
      { numRuns: 1000 },
    );
  });

  it("take n log n steps for a word of a quarter megabyte", () => {
    const started = performance.now();
    expect(tokenizer.encode("ab".repeat(1 << 17)).length).toBeGreaterThan(1000);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("the character classes", () => {
  it("know ASCII", () => {
    const classOf = (text: string) => CLASSES[text.codePointAt(0)!];
    expect(["a", "Z", "é", "ж", "中"].map(classOf)).toEqual([LETTER, LETTER, LETTER, LETTER, LETTER]);
    expect(["0", "９", "½"].map(classOf)).toEqual([NUMBER, NUMBER, NUMBER]);
    expect([" ", "\n", "\u0085", "\u00a0"].map(classOf)).toEqual([SPACE, SPACE, SPACE, SPACE]);
    expect([".", "'", "\ufeff", "😀"].map(classOf)).toEqual([OTHER, OTHER, OTHER, OTHER]);
  });

  it("agree with Node wherever Node's Unicode is not newer", () => {
    let wrong = 0;
    for (let point = 0; point < 0x11_0000; point++) {
      const text = String.fromCodePoint(point);
      if (CLASSES[point] === LETTER && !/\p{L}/u.test(text)) wrong++;
      if (CLASSES[point] === NUMBER && !/\p{N}/u.test(text)) wrong++;
      if ((CLASSES[point] === SPACE) !== /\p{White_Space}/u.test(text)) wrong++;
    }
    // Unicode never takes letters away; an older Node does not know all of Unicode 16.0 yet.
    expect(wrong).toBeLessThan(5200);
    if (Number.parseFloat(process.versions.unicode!) >= 16) expect(wrong).toBe(0);
  });
});
