/**
 * Runs TF.js's own op tests, as @tensorflow/tfjs-core publishes them, against the native backend, or the cuda one.
 *
 *   node packages/native/scripts/tfjs-op-tests/run.js [--cuda] [name of a test file …]      e.g. matmul slice
 *
 * Needs the built packages (`pnpm build`). Prints failures, skips with their reasons, and counts; exits with 1 when a test
 * fails. Nothing is skipped but what TF.js itself has switched off.
 */
import { readdirSync } from "node:fs";
import { createRequire, register } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { install, run } from "./jasmine.js";

register("./hooks.js", import.meta.url);
install();
const given = process.argv.slice(2);
const backend = given.includes("--cuda") ? "cuda" : "native";
const { registerCuda, registerNative } = await import("../../dist/index.js");
const tf = await import("@tensorflow/tfjs");
({ cuda: registerCuda, native: registerNative })[backend]({ precision: "fp32" });
await tf.setBackend(backend);

const tfjs = createRequire(import.meta.url).resolve("@tensorflow/tfjs");
const ops = join(dirname(createRequire(tfjs).resolve("@tensorflow/tfjs-core")), "ops");
const url = (...parts) => pathToFileURL(join(ops, ...parts)).href;

const { setTestEnvs } = await import(url("..", "jasmine_util.js"));
setTestEnvs([{ name: backend, backendName: backend, isDataSync: true }]);
await import(url("..", "public", "chained_ops", "register_all_chained_ops.js"));
await import(url("..", "register_all_gradients.js"));

const wanted = given.filter((name) => name !== "--cuda");
const names = readdirSync(ops, { recursive: true })
  .filter((name) => name.endsWith("_test.js"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name === `${part}_test.js`))
  .sort();
for (const name of names) await import(url(name));

const counts = { passed: 0, failed: 0, skipped: 0 };
const reasons = new Map();
await run({
  report({ path, outcome, reason, error }) {
    counts[outcome]++;
    if (outcome === "failed")
      console.log(`FAILED ${path.join(" › ")}\n       ${String(error?.message ?? error).slice(0, 300)}`);
    if (outcome === "skipped") reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  },
});
for (const [reason, count] of reasons) console.log(`skipped ${count}: ${reason}`);
console.log(`${names.length} files: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
