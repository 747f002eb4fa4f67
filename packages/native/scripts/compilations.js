/** Compilations whose objects are kept until something that they were made from changes. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/**
 * @typedef {object} Compilation
 * @property {string} name for messages
 * @property {string} object the file that it makes; the compiler lists what it read in `OBJECT.d`
 * @property {string} command the compiler
 * @property {string[]} args its arguments, which include `-MMD -MF OBJECT.d`
 * @property {string} [key] whatever else changes the object: the compiler's version, files that are included together
 */

/** Changes whenever the object would: arguments, key, and every file that the last compilation read. */
function stampOf({ object, args, key = "" }) {
  const listed = `${object}.d`;
  if (!existsSync(listed)) return undefined;
  const hash = createHash("sha256").update(key).update(args.join(" "));
  for (const file of readFileSync(listed, "utf8")
    .replace(/^[^:]*:/, "")
    .split(/[\s\\]+/)) {
    if (file === "") continue;
    if (!existsSync(file)) return undefined;
    hash.update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** @param {Compilation} compilation */
export function isCurrent(compilation) {
  const stamp = `${compilation.object}.stamp`;
  return existsSync(compilation.object) && existsSync(stamp) && readFileSync(stamp, "utf8") === stampOf(compilation);
}

function compile(compilation) {
  const { name, object, command, args } = compilation;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("close", (code) => {
      if (code !== 0) return reject(new Error(`${name} does not compile with ${command}`));
      writeFileSync(`${object}.stamp`, stampOf(compilation) ?? "");
      resolve();
    });
  });
}

/**
 * Compiles on all cores, in the order given.
 *
 * @param {Compilation[]} compilations
 * @param {(name: string, milliseconds: number) => void} [report]
 * @throws Error when one does not compile
 */
export async function compileAll(compilations, report = () => {}) {
  const queue = [...compilations];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const begin = performance.now();
      await compile(next);
      report(next.name, performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

/** Links into a temporary name, then renames. */
export function link(command, args, output) {
  const temporary = `${output}.${process.pid}`;
  execFileSync(command, [...args, "-o", temporary], { stdio: "inherit" });
  renameSync(temporary, output);
}
