/**
 * Compiles the addon with plain g++ or clang++ (CXX chooses): no node-gyp, no downloaded headers. Only units whose source,
 * headers or flags changed are compiled again. Run by `pnpm install`; without a compiler it says so and succeeds, and `mm`
 * runs on another backend.
 *
 *   node scripts/build.js [--tests] [--sanitize address|thread] [--verbose]
 *
 * --tests adds the instruction set `wide` (16-lane code on AVX2) and builds build/tests, the C++ tests. --sanitize builds
 * the same, for AVX2 alone, in a folder of its own: see sanitize.js.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileAll, isCurrent, link } from "./compilations.js";
import { binding, instructionSets, plain, tests, units } from "./units.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "cc");
const argument = process.argv.slice(2);
const option = (name) => argument.includes(`--${name}`);
const sanitizer = option("sanitize") ? argument[argument.indexOf("--sanitize") + 1] : undefined;
const withTests = option("tests") || sanitizer !== undefined;

const say = (line) => process.stdout.write(`@mm/native: ${line}\n`);

/** The first compiler that answers, with what it answers. */
function findCompiler() {
  for (const command of process.env.CXX ? [process.env.CXX] : ["g++", "clang++", "c++"]) {
    try {
      const version = execFileSync(command, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      const machine = execFileSync(command, ["-dumpmachine"], { encoding: "utf8" }).trim();
      return { command, version, machine, isGcc: version.includes("Free Software Foundation") };
    } catch {
      // not there: try the next
    }
  }
  return undefined;
}

const compiler = findCompiler();
if (compiler === undefined || process.platform !== "linux") {
  const reason = compiler === undefined ? "no C++ compiler found" : `not supported on ${process.platform} yet`;
  const remedy =
    compiler === undefined
      ? "; for faster native kernels install g++, then run `node packages/native/scripts/build.js`"
      : "";
  say(`${reason}: mm runs on the WebAssembly backend${remedy}.`);
  process.exit(0);
}

const x86 = compiler.machine.startsWith("x86_64");
// A cross compiler (arm64.js) builds for another machine, in a folder named after it.
const isForeign = x86 !== (process.arch === "x64");
const build = join(root, "build", sanitizer ?? (isForeign ? compiler.machine : ""));
const headers = createRequire(import.meta.url)("node-api-headers").include_dir;
const flags = [
  "-std=c++20",
  // Kernels are written with vectors, or are loops that the vectorizer takes; the rest of -O3 costs compile time alone.
  ...(sanitizer === undefined ? ["-O2", "-ftree-vectorize"] : ["-O1"]),
  // The warning is about GCC 12's own AVX-512 headers.
  ...(compiler.isGcc ? ["-fvect-cost-model=dynamic", "-Wno-maybe-uninitialized"] : []),
  "-g0",
  "-fPIC",
  "-fvisibility=hidden",
  "-fno-math-errno",
  "-fno-trapping-math",
  "-ffp-contract=fast",
  "-Wall",
  "-Wextra",
  "-Wno-psabi",
  "-Wno-unknown-pragmas",
  "-Wno-uninitialized",
  "-pthread",
  `-I${headers}`,
  ...(sanitizer === "address"
    ? ["-g1", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
    : []),
  ...(sanitizer === "thread" ? ["-g1", "-fsanitize=thread"] : []),
];

/** The compilations: some files together, for one instruction set or none. */
function jobs() {
  const list = [];
  const add = (name, files, set, part = "kernels") =>
    list.push({ name, files, set, part, object: join(build, `${name}.${set ?? "plain"}.o`) });
  // The largest first, so that no core waits for the last one alone.
  for (const [name, { files, sets }] of Object.entries(units)) {
    const wanted = sanitizer === undefined ? sets : [sets.includes("avx2") ? "avx2" : "baseline"];
    for (const set of x86 ? wanted : ["baseline"]) add(name, files, set);
    if (withTests && x86 && (sanitizer === undefined || name === "products")) add(name, files, "wide");
  }
  if (withTests) {
    for (const file of tests.once) add(`test-${basename(file, ".cc")}`, [file], undefined, "tests");
    const sets = sanitizer === undefined ? ["baseline", "avx2", "avx512", "avx512bf16", "wide"] : ["avx2", "wide"];
    for (const set of x86 ? sets : ["baseline"]) add("test-vectors", tests.perSet, set, "tests");
  }
  add("binding", binding, undefined, "binding");
  add("plain", plain);
  return list;
}

function flagsFor(set) {
  // What is compiled once serves every machine as it is; its vectors, if any, are the plainest.
  if (set === undefined) return flags;
  const { rank, lanes, pairs, flags: machineFlags } = instructionSets[set];
  return [
    ...flags,
    ...(x86 ? machineFlags : []),
    `-DMM_ISA=${set}`,
    `-DMM_LEVEL=${rank}`,
    `-DMM_LANES=${lanes}`,
    `-DMM_PAIRS=${pairs}`,
  ];
}

/** One file that includes those of the job, and how it is compiled. */
function compilationOf({ name, files, set, object }) {
  const source = `${object.slice(0, -2)}.cc`;
  const text = files.map((file) => `#include "${join(sources, file)}"\n`).join("");
  if (!existsSync(source) || readFileSync(source, "utf8") !== text) writeFileSync(source, text);
  return {
    name: `${name} (${set ?? "plain"})`,
    object,
    command: compiler.command,
    args: [...flagsFor(set), "-MMD", "-MF", `${object}.d`, "-c", source, "-o", object],
    key: `${compiler.version} ${files.join(" ")}`,
  };
}

mkdirSync(build, { recursive: true });
const all = jobs();
const compilations = all.map(compilationOf);
const stale = compilations.filter((compilation) => !isCurrent(compilation));
const begin = performance.now();
try {
  await compileAll(stale, (name, milliseconds) => {
    if (option("verbose")) say(`${name} ${Math.round(milliseconds)} ms`);
  });
  // Code that every instruction set instantiates is taken from the first object: let that be the plainest.
  const rank = ({ set }) => instructionSets[set]?.rank ?? -1;
  const ordered = [...all].sort((a, b) => rank(a) - rank(b));
  const objects = (...parts) => ordered.filter(({ part }) => parts.includes(part)).map(({ object }) => object);
  const addon = join(build, "mm.node");
  const standalone = compiler.isGcc ? ["-static-libstdc++", "-static-libgcc"] : [];
  if (sanitizer !== "thread" && (stale.length > 0 || !existsSync(addon)))
    link(compiler.command, [...flags, ...objects("kernels", "binding"), "-shared", ...standalone], addon);
  if (withTests) link(compiler.command, [...flags, ...objects("kernels", "tests")], join(build, "tests"));
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  say(
    stale.length > 0
      ? `built ${stale.length} of ${all.length} units with ${compiler.command} in ${seconds} s.`
      : "up to date.",
  );
} catch (error) {
  rmSync(join(build, "mm.node"), { force: true });
  say(`${error.message}; mm runs on the WebAssembly backend. Please report this with the compiler's output above.`);
  process.exit(argument.includes("--strict") ? 1 : 0);
}
