import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { SevenZipModuleFactory } from "7z-wasm";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { parquetWriteFile } from "hyparquet-writer";
import { buildDataset } from "../dataset/build.js";
import { openDataset } from "../dataset/dataset.js";
import { firstStories, sampleDataset } from "../dataset/sample.js";
import { readStories, type StoryRow } from "../dataset/stories-file.js";
import { verifyDataset } from "../dataset/verify.js";
import { babistoriesArchiveSource } from "./babistories/archive.js";
import { huggingfaceSource } from "./huggingface/index.js";
import { storiesSource } from "./stories/index.js";
import { tableSource } from "./table.js";
import { tinystoriesSource } from "./tinystories.js";
import { wikiSource } from "./wiki.js";

let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mm-digest-"));
  out = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const rowsOf = async () => {
  const rows: StoryRow[] = [];
  for await (const row of readStories(join(out, "stories.arrow"))) rows.push(row);
  return rows;
};
const texts = async () => (await rowsOf()).map(({ text }) => text);
const stories = Array.from(
  { length: 2500 },
  (_, index) => `Story ${index}: once there was a cat. It was called “Ünïcode”.`,
);

describe("the BabiStories archive", () => {
  const jsonLines = (list: string[]) => list.map((text) => JSON.stringify(text)).join("\n");

  it("takes the unpacked files, each for its split", async () => {
    put("traindataset.txt", jsonLines(stories.slice(0, 20)));
    put("valdataset.txt", jsonLines(stories.slice(20, 25)));
    put("testdataset.txt", jsonLines(stories.slice(25, 30)));
    await buildDataset(babistoriesArchiveSource({ files: [folder] }), out);
    const rows = await rowsOf();
    expect(rows.filter((row) => row.split === "train").map((row) => row.text)).toEqual(stories.slice(0, 20));
    expect(rows.filter((row) => row.split === "valid").map((row) => row.text)).toEqual(stories.slice(20, 25));
  });

  it("unpacks an archive in several parts", async () => {
    put("traindataset.txt", jsonLines(stories));
    put("testdataset.txt", jsonLines(stories.slice(0, 9)));
    await packInParts(folder, "babistories-dataset.7z", ["traindataset.txt", "testdataset.txt"], "4k");
    expect(readdirSync(folder).filter((name) => name.includes(".7z.")).length).toBeGreaterThan(1);
    rmSync(join(folder, "traindataset.txt"));
    rmSync(join(folder, "testdataset.txt"));
    const first = join(folder, "babistories-dataset.7z.001");
    const { info } = await buildDataset(babistoriesArchiveSource({ files: [first] }), out);
    expect(info.splits.train.documents).toBe(2500);
    expect(info.splits.valid.documents).toBe(9);
    expect(existsSync(join(out, "scratch"))).toBe(false);

    rmSync(join(folder, "babistories-dataset.7z.002"));
    await expect(buildDataset(babistoriesArchiveSource({ files: [first] }), out, { force: true })).rejects.toThrow(
      /Expected a whole 7z archive/,
    );
  });

  it("says which files it needs", async () => {
    const file = put("traindataset.txt", '"one"');
    await expect(buildDataset(babistoriesArchiveSource({ files: [file] }), out)).rejects.toThrow(
      /traindataset.txt and valdataset.txt .* but found: traindataset.txt/,
    );
  });
});

async function packInParts(root: string, name: string, files: string[], size: string): Promise<void> {
  const sevenZip = createRequire(import.meta.url)("7z-wasm") as SevenZipModuleFactory;
  const module = await sevenZip({ print: () => {} });
  module.FS.mkdir("/work");
  module.FS.mount(module.NODEFS, { root }, "/work");
  module.FS.chdir("/work");
  module.callMain(["a", `-v${size}`, "-mx=0", name, ...files]);
}

describe("tables", () => {
  it("are read from Parquet and Arrow files", async () => {
    parquetWriteFile({
      filename: join(folder, "a.parquet"),
      columnData: [
        { name: "id", data: stories.map((_, index) => index) },
        { name: "story", data: stories },
      ],
      rowGroupSize: 700,
    });
    await buildDataset(tableSource({ files: [join(folder, "a.parquet")], column: "story" }), out);
    expect(await texts()).toEqual(stories);
    put("b.arrow", tableToIPC(tableFromArrays({ story: stories.slice(0, 50) }), "file"));
    await buildDataset(tableSource({ files: [join(folder, "b.arrow")], column: "story" }), out, {
      force: true,
      valid: 0,
    });
    expect(await texts()).toEqual(stories.slice(0, 50));
  });

  it("that are damaged, or lack the column, are refused", async () => {
    const build = (name: string, column: string) =>
      buildDataset(tableSource({ files: [join(folder, name)], column }), out, { valid: 0 });
    parquetWriteFile({ filename: join(folder, "a.parquet"), columnData: [{ name: "story", data: stories }] });
    await expect(build("a.parquet", "text")).rejects.toThrow(/column "text" in .* but found: story/);
    put("cut.parquet", readFileSync(join(folder, "a.parquet")).subarray(0, 5000));
    await expect(build("cut.parquet", "story")).rejects.toThrow(/Expected a Parquet file/);
    put("bad.arrow", "no arrow file at all, just text");
    await expect(build("bad.arrow", "story")).rejects.toThrow(/Expected an Arrow file/);
    put("c.arrow", tableToIPC(tableFromArrays({ story: stories }), "file"));
    await expect(build("c.arrow", "text")).rejects.toThrow(/column "text" in .* but found: story/);
  });
});

describe("TinyStories", () => {
  it("is read as text, as JSON shards and as Parquet, with the split in the names", async () => {
    put("TinyStories-train.txt", stories.slice(0, 10).join("\n<|endoftext|>\n"));
    put("TinyStories-valid.txt", stories.slice(10, 12).join("\n<|endoftext|>\n"));
    put(
      "data00.json",
      JSON.stringify(stories.slice(12, 15).map((story) => ({ story, instruction: { "prompt:": "Write" } }))),
    );
    await buildDataset(
      tinystoriesSource({ files: [join(folder, "TinyStories-*.txt"), join(folder, "data00.json")] }),
      out,
      {
        valid: 0,
      },
    );
    const rows = await rowsOf();
    expect(rows.map((row) => row.text)).toEqual(stories.slice(0, 15));
    expect(rows.filter((row) => row.split === "valid").map((row) => row.document)).toEqual([10, 11]);
  });
});

describe("encyclopaedias", () => {
  it("are cut at the titles of WikiText, not at its headings", async () => {
    const file = put(
      "wiki.txt",
      " \n = April = \n \n April is the fourth month . It has 30 @-@ something days , 1 @,@ 000 hours . \n \n = = Poetry = = \n \n A poem . \n \n = August = \n \n Hot . \n",
    );
    await buildDataset(wikiSource({ files: [file] }), out, { valid: 0 });
    const articles = await texts();
    expect(articles).toHaveLength(2);
    expect(articles[0]).toMatch(
      /^= April =[\s\S]*30-something days , 1,000 hours[\s\S]*= = Poetry = =[\s\S]*A poem \.$/,
    );
    expect(articles[1]).toMatch(/^= August =/);
  });

  it("are cut at WikiExtractor's marks", async () => {
    const file = put(
      "wiki_00",
      '<doc id="1" title="A">\nA\n\nFirst.\n</doc>\n<doc id="2" title="B">\nB\n\nSecond.\n</doc>\n',
    );
    await buildDataset(wikiSource({ files: [file] }), out, { valid: 0 });
    expect(await texts()).toEqual(["A\n\nFirst.", "B\n\nSecond."]);
  });
});

describe("a dataset repository over HTTP", () => {
  let server: Server;
  let endpoint: string;
  let ranges: (string | undefined)[];
  /** How many transfers the server still cuts short. */
  let cuts: number;
  const content = Buffer.from(stories.map((text) => JSON.stringify({ text })).join("\n"));
  let served: Buffer;

  beforeEach(async () => {
    ranges = [];
    cuts = 0;
    served = content;
    server = createServer((request, response) => {
      const url = new URL(request.url!, "http://localhost");
      if (url.pathname === "/api/datasets/owner/tales/tree/main") {
        const sha256 = createHash("sha256").update(content).digest("hex");
        const small = Buffer.from("about");
        const oid = createHash("sha1").update(`blob ${small.length}\0`).update(small).digest("hex");
        const pages = [
          [
            {
              type: "file",
              path: "data/train.jsonl",
              size: content.length,
              oid: "x",
              lfs: { oid: sha256, size: content.length },
            },
          ],
          [
            { type: "directory", path: "data", size: 0, oid: "y" },
            { type: "file", path: "README.md", size: 5, oid },
          ],
        ];
        const second = url.searchParams.get("cursor") === "2";
        if (!second) response.setHeader("link", `<${endpoint}${url.pathname}?recursive=true&cursor=2>; rel="next"`);
        response.end(JSON.stringify(pages[second ? 1 : 0]));
      } else if (url.pathname === "/datasets/owner/tales/resolve/main/data/train.jsonl") {
        const partial = join(folder, "cache/owner/tales/main/data/train.jsonl.partial");
        ranges.push(request.headers.range);
        const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
        response.writeHead(start > 0 ? 206 : 200, { "content-length": served.length - start });
        if (cuts-- > 0) {
          response.write(served.subarray(start, start + 40_000));
          // Not before something has arrived.
          const breaking = setInterval(() => {
            if ((statSync(partial, { throwIfNoEntry: false })?.size ?? 0) <= start) return;
            clearInterval(breaking);
            response.destroy();
          }, 20);
        } else response.end(served.subarray(start));
      } else if (url.pathname === "/api/datasets/owner/hostile/tree/main") {
        response.end(JSON.stringify([{ type: "file", path: "../../../../stolen.txt", size: 5, oid: "z" }]));
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const source = (name = "owner/tales") =>
    huggingfaceSource({ repository: name, endpoint, cache: join(folder, "cache"), keepSplit: false });

  it("is fetched, checked and kept", async () => {
    const { info } = await buildDataset(source(), out);
    expect(await texts()).toEqual(stories);
    expect(info.source.files.map(({ path }) => path)).toEqual(["data/train.jsonl"]);
    await buildDataset(source(), out, { force: true });
    expect(ranges).toEqual([undefined]);
  });

  it("goes on where a transfer broke", async () => {
    cuts = 2;
    await buildDataset(source(), out);
    expect(ranges).toHaveLength(3);
    expect(ranges[0]).toBeUndefined();
    expect(ranges[2]).toMatch(/^bytes=\d+-$/);
    expect(await texts()).toEqual(stories);
  });

  it("is refused when the content differs from its checksum, or the name is wrong", async () => {
    served = Buffer.from(content);
    served[1000] = 0x21;
    await expect(buildDataset(source(), out)).rejects.toThrow(/Expected the checksum/);
    expect(readdirSync(join(folder, "cache/owner/tales/main/data"))).toEqual([]);
    await expect(buildDataset(source("owner/nothing"), out)).rejects.toThrow(/status 404/);
    expect(() => source("nothing")).toThrow(/repository: expected "owner\/name", found "nothing"/);
  });

  it("writes nowhere but into its cache", async () => {
    await expect(buildDataset(source("owner/hostile"), out)).rejects.toThrow(/server names ..\/..\/..\/..\/stolen.txt/);
  });

  it("does not show a token that is no token", async () => {
    process.env["HF_TOKEN"] = "hf_sec\nret";
    try {
      expect(() => source()).toThrow(/^(?!.*hf_sec).*one key without blanks in the environment variable HF_TOKEN/);
    } finally {
      delete process.env["HF_TOKEN"];
    }
  });
});

describe("looking at a dataset", () => {
  it("verifies what was built, and finds each kind of damage", async () => {
    await buildDataset(storiesSource({ count: 300 }), out, { valid: 0.1, shardTokens: 20_000 });
    const problems = async () => {
      const found: string[] = [];
      for await (const file of verifyDataset(out)) found.push(...file.problems.map((text) => `${file.file}: ${text}`));
      return found;
    };
    expect(await problems()).toEqual([]);
    const shard = join(out, "train-001.bin");
    copyFileSync(shard, join(folder, "kept"));
    const bytes = readFileSync(shard);
    bytes.writeUInt16LE(60_000, 100);
    writeFileSync(shard, bytes);
    expect((await problems()).join("\n")).toMatch(/train-001.bin: its checksum[\s\S]*holds the token 60000/);
    copyFileSync(join(folder, "kept"), shard);
    const last = openDataset(out).info.splits.train.shards.at(-1)!.file;
    const end = readFileSync(join(out, last));
    end.writeUInt16LE(13, end.length - 2);
    writeFileSync(join(out, last), end);
    expect((await problems()).join("\n")).toMatch(/end-of-text tokens for \d+ documents[\s\S]*does not end with/);
  });

  it("samples whole documents from their tokens", async () => {
    mkdirSync(out);
    await buildDataset(storiesSource({ count: 50 }), out, { valid: 0.2 });
    const all = await rowsOf();
    const sample = sampleDataset(out, { count: 8, seed: 3, split: "valid" });
    const valid = all.filter((row) => row.split === "valid").map((row) => row.text);
    expect(sample).toHaveLength(8);
    for (const text of sample) expect(valid).toContain(text);
    expect(sampleDataset(out, { count: 8, seed: 3, split: "valid" })).toEqual(sample);
    expect(await firstStories(out, 3)).toEqual(all.slice(0, 3));
  });
});
