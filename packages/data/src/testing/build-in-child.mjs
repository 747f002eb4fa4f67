/** Builds COUNT stories in FOLDER from source, in a process of its own that tests can limit and kill. */
import { register } from "node:module";

register("../../../run/src/workers/typescript-loader.mjs", import.meta.url);
const { buildDataset } = await import("../dataset/build.ts");
const { storiesSource } = await import("../sources/stories/index.ts");

const [folder, count] = process.argv.slice(2);
try {
  await buildDataset(storiesSource({ count: Number(count) }), folder, {
    threads: 0,
    shardTokens: 1 << 16,
    onProgress: () => process.stdout.write("."),
  });
} catch (error) {
  process.stderr.write(`${error.name}: ${error.message}`);
  process.exitCode = error.name === "UserError" ? 2 : 70;
}
