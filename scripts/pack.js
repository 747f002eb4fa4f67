/**
 * Packs this checkout, as it is installed and built, into one archive for a bare Linux machine of the same architecture,
 * such as a rented one with a GPU: sources, dependencies, compiled TypeScript and Node.js itself. Nothing has to be
 * downloaded there; the GPU's kernels are compiled there (docs/ON-A-GPU.md). Datasets and runs stay here.
 *
 *   node scripts/pack.js mm.tar.gz
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stop = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

const target = process.argv[2];
if (target === undefined) stop("Expected the name of the archive to write, as in `node scripts/pack.js mm.tar.gz`.");
if (!existsSync(join(root, "packages/cli/dist/main.js"))) {
  stop("Expected a checkout that is installed and built, but packages/cli/dist is missing: run `./mm doctor` first.");
}

/** Large, and not needed to run, to compile or to test: the linter, and what browsers load. */
const leftOut = ["@biomejs+*", "playwright-core*", "*.map", "tf.es2017*", "tf.fesm*", "tf-*.es2017*"];

// Files of version control that are there, and what installing and building added.
const tracked = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" });
const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
const added = ["node_modules", ...packages.flatMap((folder) => [`${folder}/dist`, `${folder}/node_modules`])];
const addon = "packages/native/build/mm.node";
const files = [...tracked.split("\0"), ...added, addon].filter((file) => file !== "" && existsSync(join(root, file)));

const output = resolve(target);
const temporary = `${output}.${process.pid}`;
const list = join(tmpdir(), `mm-pack-${process.pid}`);
try {
  writeFileSync(list, files.join("\n"));
  // pax keeps times to the nanosecond: what is built is told from what is not by them.
  execFileSync("tar", [
    ...["--create", "--gzip", "--format=posix", "--hard-dereference", "--file", temporary],
    ...leftOut.map((pattern) => `--exclude=${pattern}`),
    ...["--transform", `flags=r;s,^${basename(process.execPath)}$,.node/bin/node,`, "--transform", "flags=r;s,^,mm/,"],
    ...["-C", root, "--files-from", list],
    ...["-C", dirname(process.execPath), basename(process.execPath)],
  ]);
  renameSync(temporary, output);
} finally {
  rmSync(list, { force: true });
  rmSync(temporary, { force: true });
}
process.stdout.write(`${output}: ${Math.round(statSync(output).size / 2 ** 20)} MiB\n`);
