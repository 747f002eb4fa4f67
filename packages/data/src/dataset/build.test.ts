import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { isUserError } from "@mm/run";
import { get_encoding } from "tiktoken";
import { jsonlSource } from "../sources/jsonl.js";
import { regbenchSource } from "../sources/regbench.js";
import type { Source } from "../sources/source.js";
import { storiesSource } from "../sources/stories/index.js";
import { textSource } from "../sources/text.js";
import { gpt2Tokenizer } from "../tokenizers/gpt2.js";
import { buildDataset } from "./build.js";
import { openDataset } from "./dataset.js";
import { formatTableOne } from "./statistics.js";
import { readStories, type StoryRow } from "./stories-file.js";

let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mm-build-"));
  out = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
};
const documents = (texts: Iterable<string>, more: Partial<Source> = {}): Source => ({
  kind: "test",
  description: "texts of a test",
  synthetic: true,
  settings: {},
  *documents() {
    for (const text of texts) yield { text };
  },
  ...more,
});
const rowsOf = async (path = out) => {
  const rows: StoryRow[] = [];
  for await (const row of readStories(join(path, "stories.arrow"))) rows.push(row);
  return rows;
};
const failure = async (build: () => Promise<unknown>) => {
  try {
    await build();
  } catch (error) {
    expect(isUserError(error)).toBe(true);
    return (error as Error).message;
  }
  throw new Error("expected the build to fail");
};
const noTraces = () => {
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.includes("building"))).toEqual([]);
};

describe("buildDataset", () => {
  it("writes each story with one end-of-text token, as tiktoken would", async () => {
    await buildDataset(storiesSource({ count: 100 }), out, { valid: 0.1 });
    const oracle = get_encoding("gpt2");
    const dataset = openDataset(out);
    const rows = await rowsOf();
    expect(rows).toHaveLength(100);
    for (const split of ["train", "valid"] as const) {
      const own = rows.filter((row) => row.split === split);
      const expected = own.flatMap(({ text }) => [...oracle.encode_ordinary(text), 50256]);
      const stream = dataset.tokens(split);
      expect([...stream.slice(0, stream.length)]).toEqual(expected);
      const info = dataset.info.splits[split];
      expect(info.documents).toBe(own.length);
      expect(info.tokens).toBe(expected.length);
      expect(info.characters).toBe(own.reduce((sum, { text }) => sum + [...text].length, 0));
      expect(own.every((row) => row.characters === [...row.text].length)).toBe(true);
    }
    expect(dataset.info.verified!.documents).toBeGreaterThan(40);
    expect(dataset.info.synthetic).toBe(true);
    expect(formatTableOne(dataset.info)).toMatch(/out \(synthetic\) +train +\d+ +[\d,]+ +\d+/);
  });

  it("is the same, byte for byte, in place and on worker threads", async () => {
    const source = storiesSource({ count: 3000, seed: 3 });
    const inPlace = await buildDataset(source, join(folder, "a"), { threads: 0, name: "same" });
    const threads = await buildDataset(source, join(folder, "b"), { threads: 2, name: "same" });
    expect(threads.info).toEqual(inPlace.info);
    for (const name of readdirSync(join(folder, "a"))) {
      expect(readFileSync(join(folder, "a", name)).equals(readFileSync(join(folder, "b", name)))).toBe(true);
    }
  });

  it("names a lone shard as nanoGPT does, and cuts a large split into several shards", async () => {
    await buildDataset(documents(["one two three", "four five six"]), out, { valid: 0 });
    expect(readFileSync(join(out, "train.bin")).equals(readFileSync(join(out, "train-000.bin")))).toBe(true);
    const texts = Array.from({ length: 300 }, (_, index) => `story number ${index}`);
    const { info } = await buildDataset(documents(texts), out, { force: true, shardTokens: 256, valid: 0.2 });
    expect(info.splits.train.shards.length).toBeGreaterThan(2);
    expect(existsSync(join(out, "train.bin"))).toBe(false);
    const rows = await rowsOf();
    const expected = rows
      .filter((row) => row.split === "train")
      .flatMap(({ text }) => [...gpt2Tokenizer().encode(text), 50256]);
    expect([...openDataset(out).tokens("train").slice(0, info.splits.train.tokens)]).toEqual(expected);
    for (const { file, sha256 } of info.splits.train.shards) {
      expect(
        createHash("sha256")
          .update(readFileSync(join(out, file)))
          .digest("hex"),
      ).toBe(sha256);
    }
  });

  it("splits by the text of a story, not by its place, so that equal stories stay together", async () => {
    const texts = Array.from({ length: 500 }, (_, index) => `the story of number ${index}`);
    const splits = async (list: string[], seed: number) => {
      await buildDataset(documents(list), out, { force: true, valid: 0.3, seed });
      return new Map((await rowsOf()).map((row) => [row.text, row.split]));
    };
    const first = await splits(texts, 1);
    expect(await splits([...texts].reverse(), 1)).toEqual(new Map([...first].reverse()));
    const other = await splits(texts, 2);
    expect(other).not.toEqual(first);
    const valid = [...first.values()].filter((split) => split === "valid").length;
    // 500 draws of chance 0.3: 150 expected, standard deviation 10.
    expect(Math.abs(valid - 150)).toBeLessThan(50);
  });

  it("cuts a long document where no token changes", async () => {
    const long = storiesText(2_300_000);
    await buildDataset(documents([long, "and a short one"]), out, { valid: 0, threads: 0 });
    const dataset = openDataset(out);
    const expected = [...gpt2Tokenizer().encode(long), 50256, ...gpt2Tokenizer().encode("and a short one"), 50256];
    expect(dataset.info.splits.train.documents).toBe(2);
    expect(
      Buffer.compare(
        Buffer.from(dataset.tokens("train").slice(0, expected.length).buffer),
        Buffer.from(Uint16Array.from(expected).buffer),
      ),
    ).toBe(0);
    const rows = await rowsOf();
    expect(
      rows
        .filter((row) => row.document === 0)
        .map((row) => row.text)
        .join(""),
    ).toBe(long);
  });

  it("refuses a folder with files in it unless forced, and keeps the old dataset until the new one is whole", async () => {
    await buildDataset(documents(["first"]), out, { valid: 0 });
    expect(await failure(() => buildDataset(documents(["second"]), out, { valid: 0 }))).toMatch(/found one with files/);
    const broken = documents([], {
      *documents() {
        yield { text: "third" };
        throw new Error("the source breaks");
      },
    });
    await expect(buildDataset(broken, out, { valid: 0, force: true })).rejects.toThrow("the source breaks");
    expect((await rowsOf()).map((row) => row.text)).toEqual(["first"]);
    await buildDataset(documents(["fourth"]), out, { valid: 0, force: true });
    expect((await rowsOf()).map((row) => row.text)).toEqual(["fourth"]);
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("replaces nothing but a dataset, not even when forced", async () => {
    mkdirSync(out);
    writeFileSync(join(out, "diary.txt"), "mine");
    const build = (place: string) => () => buildDataset(documents(["first"]), place, { valid: 0, force: true });
    expect(await failure(build(out))).toMatch(/found one with files/);
    expect(await failure(build(join(out, "diary.txt")))).toMatch(/diary\.txt/);
    expect(readFileSync(join(out, "diary.txt"), "utf8")).toBe("mine");
  });

  it("leaves nothing behind when it is interrupted", async () => {
    const stop = new AbortController();
    const build = () =>
      buildDataset(storiesSource({ count: 1_000_000 }), out, {
        signal: stop.signal,
        onProgress: () => stop.abort(),
      });
    expect(await failure(build)).toMatch(/interrupted/);
    noTraces();
  });

  it("removes what a killed build left", async () => {
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    mkdirSync(`${out}.building-${dead}/scratch`, { recursive: true });
    await buildDataset(documents(["text"]), out, { valid: 0 });
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("says so when there is no text, or when all of it falls into one split", async () => {
    expect(await failure(() => buildDataset(documents([]), out))).toMatch(/found none/);
    expect(await failure(() => buildDataset(documents(["one"]), out))).toMatch(/all 1 fell into one/);
    noTraces();
  });

  it("takes RegBench's problems with symbols for tokens and the split that they come with", async () => {
    const source = regbenchSource({
      settings: { environments: 2 },
      *problems() {
        yield { text: "abc|ra", split: "train" };
        yield { text: "b b | c", split: "valid" };
      },
    });
    const { info } = await buildDataset(source, out);
    const dataset = openDataset(out);
    expect([...dataset.tokens("train").slice(0, 6)]).toEqual([1, 2, 3, 19, 18, 1]);
    expect([...dataset.tokens("valid").slice(0, 4)]).toEqual([2, 2, 19, 3]);
    expect(info.tokenizer).toMatchObject({ name: "symbols", vocabulary: 20, endOfText: null });
  });
});

function storiesText(length: number): string {
  let text = "";
  for (let index = 0; text.length < length; index++) {
    text += `Line ${index} has words,\n  some blanks…  and “signs”.\u00a0Ünïcode 你好 ${"z".repeat(index % 9)}\n\n`;
  }
  return text;
}

describe("the text source", () => {
  it("takes files, folders, patterns and gzip files", async () => {
    put("in/b2.txt", "second file");
    put("in/b10.txt", "third file");
    put("in/a/deep.txt", "first file");
    put("in/skip.bin", "not text");
    put("z.txt.gz", gzipSync("packed file"));
    const texts = async (files: string[]) => {
      await buildDataset(textSource({ files, documents: "file" }), out, { force: true, valid: 0 });
      return (await rowsOf()).map((row) => row.text);
    };
    expect(await texts([join(folder, "in")])).toEqual(["first file", "second file", "third file"]);
    expect(await texts([join(folder, "in/b*.txt")])).toEqual(["second file", "third file"]);
    expect(await texts([join(folder, "**/{deep,b2}.txt")])).toEqual(["first file", "second file"]);
    expect(await texts([join(folder, "z.txt.gz")])).toEqual(["packed file"]);
    const { info } = openDataset(out);
    expect(info.source.files).toHaveLength(1);
    expect(info.source.files[0]!.sha256).toBe(
      createHash("sha256")
        .update(readFileSync(join(folder, "z.txt.gz")))
        .digest("hex"),
    );
  });

  it("cuts a long text into passages that together are the text", async () => {
    const text = storiesText(200_000);
    const file = put("long.txt", text);
    await buildDataset(textSource({ files: [file] }), out);
    const rows = await rowsOf();
    expect(rows.map((row) => row.text).join("")).toBe(text);
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.slice(0, -1).every((row) => row.text.endsWith("\n\n"))).toBe(true);
  });

  it("cuts at separators, also where one lies across two reads", async () => {
    const stories = Array.from({ length: 4000 }, (_, index) => `story ${index} ${"word ".repeat(index % 90)}`.trim());
    const file = put("stories.txt", stories.join("\n<|endoftext|>\n"));
    await buildDataset(textSource({ files: [file], documents: "separator" }), out);
    expect((await rowsOf()).map((row) => row.text)).toEqual(stories);
  });

  it("names the place of bytes that are no UTF-8", async () => {
    const good = Buffer.from("line one\nline twö\n");
    const build = (bytes: Uint8Array) =>
      failure(() => buildDataset(textSource({ files: [put("bad.txt", bytes)] }), out));
    expect(await build(Buffer.concat([good, Buffer.from([0x61, 0xe9, 0x62])]))).toMatch(
      /found the byte 0xe9 in .*bad.txt, line 3, byte 20/,
    );
    expect(await build(Buffer.concat([good, Buffer.from([0xe4, 0xbd])]))).toMatch(/byte 0xe4 in .*line 3, byte 19/);
    expect(await build(Buffer.from([0xff, 0xfe, 0x61, 0]))).toMatch(/byte 0xff in .*line 1, byte 0/);
    noTraces();
  });

  it("says what is wrong with missing, empty and damaged files", async () => {
    const build = (file: string) => failure(() => buildDataset(textSource({ files: [file] }), out));
    expect(await build(join(folder, "nowhere.txt"))).toMatch(/no such file/);
    expect(await build(join(folder, "*.nothing"))).toMatch(/found none/);
    expect(await build(put("empty.txt", ""))).toMatch(/Expected text/);
    expect(await build(put("cut.txt.gz", gzipSync("some text".repeat(100)).subarray(0, 30)))).toMatch(/gzip/);
    noTraces();
  });
});

describe("the jsonl source", () => {
  it("takes strings, and objects with a field", async () => {
    const file = put("a.jsonl", '"one\\nline"\n\n{"story": "two", "more": [1, "]"]}\r\n{"story":"drei ü"}');
    await buildDataset(jsonlSource({ files: [file], field: "story" }), out, { valid: 0 });
    expect((await rowsOf()).map((row) => row.text)).toEqual(["one\nline", "two", "drei ü"]);
  });

  it("takes one big array, element by element", async () => {
    const stories = Array.from({ length: 3000 }, (_, index) => ({
      story: `s "${index}" ],[ \\ {`,
      tags: [index, { a: [] }],
    }));
    const file = put("a.json", JSON.stringify(stories, null, 1));
    await buildDataset(jsonlSource({ files: [file], field: "story" }), out);
    expect((await rowsOf()).map((row) => row.text)).toEqual(stories.map(({ story }) => story));
  });

  it("names file and line of malformed JSON and of a missing field", async () => {
    const build = (content: string, name = "bad.jsonl") =>
      failure(() => buildDataset(jsonlSource({ files: [put(name, content)] }), out, { valid: 0 }));
    expect(await build('"good"\n{"text": "cut')).toMatch(/Expected JSON in .*bad.jsonl:2 but found: {"text": "cut/);
    expect(await build('{"text":"good"}\n{"other":1}')).toMatch(/"text" in .*bad.jsonl:2 but found no such field/);
    expect(await build('{"text":7}')).toMatch(/found number/);
    expect(await build('["a", "b"', "bad.json")).toMatch(/Expected the end of the JSON array/);
    noTraces();
  });
});
