/**
 * Compiles the kernels for NVIDIA's GPUs (cuda/) into an addon of their own, which `--backend cuda` loads. Nothing else
 * needs it. Experimental: the kernels have been tested under emulation alone.
 *
 *   node scripts/build-cuda.js               with nvcc of CUDA 12 or 13 (NVCC chooses): build/mm-cuda.node
 *   node scripts/build-cuda.js --emulated    with g++: build/mm-cuda-emulated.node and build/cuda-tests, which run the same
 *                                            kernels on the CPU, slowly, for tests (cuda/emulation.h)
 *   node scripts/build-cuda.js --check       with nvcc, compiles and throws the result away; prints registers and spills
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileAll, isCurrent, link } from "./compilations.js";
import { tests } from "./units.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const emulated = process.argv.includes("--emulated");
const check = process.argv.includes("--check");
const headers = createRequire(import.meta.url)("node-api-headers").include_dir;
const build = join(root, "build", emulated ? "cuda-emulated" : "cuda");
const compiler = emulated ? (process.env.CXX ?? "g++") : (process.env.NVCC ?? "nvcc");

const say = (line) => process.stdout.write(`@mm/native: ${line}\n`);
const stop = (line) => {
  process.stderr.write(`@mm/native: ${line}\n`);
  process.exit(2);
};

try {
  execFileSync(compiler, ["--version"], { stdio: "ignore" });
} catch {
  stop(
    emulated
      ? `Expected a C++ compiler to build the emulation of CUDA, but found no ${compiler}: install g++, or set CXX.`
      : `Expected NVIDIA's compiler to build the CUDA backend, but found no ${compiler}: install the CUDA toolkit 12 or 13, or set NVCC to where nvcc is.`,
  );
}

const kernels = readdirSync(join(root, "cuda/kernels")).map((name) => `cuda/kernels/${name}`);
const device = [...kernels, "cuda/gemm.cu", "cuda/cublas-lt.cu"];
const host = ["cc/kernel.cc", "cc/memory.cc"];
const files = emulated
  ? [...device, ...host, "cc/system-memory.cc", "cuda/emulation.cc", "cuda/emulated.cc"]
  : [...device, ...host, "cuda/gpu.cu"];
const binding = "cc/binding.cc";
const testFiles = emulated ? tests.onDevice.map((name) => `cc/${name}`) : [];

const macros = ["-DMM_ISA=cuda", "-DMM_LEVEL=0", "-DMM_CUDA"];
/** sm_80: the first with bf16 in the tensor cores; sm_90: Hopper; and for what comes later, to be compiled by the driver. */
const targets = ["compute_80,code=sm_80", "compute_90,code=sm_90", "compute_90,code=compute_90"];
const flags = emulated
  ? ["-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unknown-pragmas", `-I${headers}`]
  : ["-std=c++20", "-O3", "-Xcompiler=-fPIC,-fvisibility=hidden", "-Xcudafe=--diag_suppress=177", `-I${headers}`];

/** Arguments that compile one file; CUDA's sources are plain C++ to any other compiler. */
function argumentsFor(file, object) {
  const common = [...flags, ...macros, "-c", join(root, file), "-o", object];
  if (emulated) return ["-x", "c++", ...common, "-MMD", "-MF", `${object}.d`];
  const code = file.endsWith(".cu") ? targets.flatMap((target) => ["-gencode", `arch=${target}`]) : [];
  return [...common, ...code, ...(check ? ["-Xptxas", "-v"] : []), "-MMD", "-MF", `${object}.d`];
}

mkdirSync(build, { recursive: true });
const objectOf = (file) => join(build, `${basename(dirname(file))}-${basename(file)}.o`);
const all = [...files, binding, ...testFiles].map((file) => {
  const object = objectOf(file);
  return { name: file, object, command: compiler, args: argumentsFor(file, object) };
});
const stale = all.filter((compilation) => check || !isCurrent(compilation));
const begin = performance.now();
try {
  await compileAll(stale);
  const objects = (...parts) => parts.flat().map(objectOf);
  const name = emulated ? "mm-cuda-emulated.node" : "mm-cuda.node";
  const standalone = emulated ? ["-static-libstdc++", "-static-libgcc"] : ["-cudart", "static"];
  const outputs = [join(root, "build", name), ...(emulated ? [join(root, "build/cuda-tests")] : [])];
  if (!check && (stale.length > 0 || !outputs.every(existsSync))) {
    link(compiler, [...objects(files, binding), "-shared", ...standalone, "-ldl"], outputs[0]);
    if (emulated) link(compiler, objects(files, testFiles), outputs[1]);
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  say(
    stale.length > 0
      ? `compiled ${stale.length} of ${all.length} files of the CUDA backend in ${seconds} s.`
      : "up to date.",
  );
} catch (error) {
  stop(`${error.message}.`);
}
