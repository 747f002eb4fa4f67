import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { explainFileError, makeFolder, writeAtomic, writeFileAtomic } from "./atomic-file.js";
import { isUserError, type UserError } from "./errors.js";
import { startChild } from "./testing/child-process.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const folder = temporaryFolder;

describe("writeFileAtomic", () => {
  it("writes text and bytes, making the folder, and leaves no temporary file", () => {
    const at = folder();
    writeFileAtomic(join(at, "deep/er/a.txt"), "grün");
    writeFileAtomic(join(at, "deep/er/b.bin"), Uint8Array.of(0, 255));
    expect(readFileSync(join(at, "deep/er/a.txt"), "utf8")).toBe("grün");
    expect([...readFileSync(join(at, "deep/er/b.bin"))]).toEqual([0, 255]);
    expect(readdirSync(join(at, "deep/er"))).toEqual(["a.txt", "b.bin"]);
  });
  it("keeps the old file when writing the new one fails", () => {
    const at = folder();
    const path = join(at, "a.txt");
    writeFileAtomic(path, "old");
    expect(() =>
      writeAtomic(path, (temporary) => {
        writeFileSync(temporary, "half of the n");
        throw new Error("lost interest");
      }),
    ).toThrow("lost interest");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(at)).toEqual(["a.txt"]);
  });
  it("shows only whole files to readers of a process killed with SIGKILL at any moment", async () => {
    const at = folder();
    const path = join(at, "a.bin");
    writeFileAtomic(path, new Uint8Array(500_000));
    const script = `
      import { writeFileAtomic } from ${JSON.stringify(new URL("./atomic-file.ts", import.meta.url).href)};
      console.log("start");
      for (let byte = 1; ; byte = (byte + 1) % 256) writeFileAtomic(${JSON.stringify(path)}, new Uint8Array(500_000).fill(byte));`;
    for (const delay of [3, 11, 26]) {
      const child = startChild(script);
      await child.printed("start");
      for (let read = 0; read < 20; read++) expectWhole(readFileSync(path));
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.process.kill("SIGKILL");
      await child.ended;
      expectWhole(readFileSync(path));
    }
  });

  function expectWhole(bytes: Uint8Array): void {
    expect(bytes.length).toBe(500_000);
    expect(Buffer.from(bytes).equals(Buffer.alloc(bytes.length, bytes[0]))).toBe(true);
  }

  it("explains a full disk", () => {
    let fault: unknown;
    try {
      writeFileSync("/dev/full", "one byte too many");
    } catch (error) {
      fault = explainFileError(error, "results/a.txt");
    }
    expect(isUserError(fault)).toBe(true);
    expect((fault as UserError).message).toBe("Cannot use results/a.txt: the disk is full (ENOSPC).");
    expect((fault as UserError).hint).toContain("Free some space");
  });
  it("explains a full disk met while writing atomically, and leaves nothing behind", () => {
    const at = folder();
    const path = join(at, "a.txt");
    symlinkSync("/dev/full", `${path}.tmp-${process.pid}`);
    expect(() => writeFileAtomic(path, "text")).toThrow("the disk is full");
    expect(readdirSync(at)).toEqual([]);
  });
  it("explains a path that runs through a file, and one that is a folder", () => {
    const at = folder();
    writeFileSync(join(at, "file"), "");
    mkdirSync(join(at, "folder"));
    expect(() => writeFileAtomic(join(at, "file", "a.txt"), "")).toThrow(/ENOTDIR|EEXIST/);
    expect(() => writeFileAtomic(join(at, "folder"), "")).toThrow("it is a folder");
  });
  it("passes on errors that no person can do anything about", () => {
    const bug = new TypeError("undefined is not a function");
    expect(explainFileError(bug, "a")).toBe(bug);
  });
});

describe("makeFolder", () => {
  it("makes what is missing, and is content with what is there", () => {
    const path = join(folder(), "a/b/c");
    makeFolder(path);
    makeFolder(path);
    expect(readdirSync(path)).toEqual([]);
  });
  it.each(["/proc/mm/runs", "/dev/null/runs"])("says why it cannot make %s", (path) => {
    expect(() => makeFolder(path)).toThrow(/^Cannot use .*(there is no such|a part of the path is a file)/);
  });
});
