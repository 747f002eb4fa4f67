/** A folder of static files in which models run in the visitor's browser. */
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LanguageModel } from "@mm/models";
import { explainFileError, makeFolder, UserError } from "@mm/run";
import type { ExportedModel, ExportedTokenizer, ExportManifest } from "./manifest.js";

export interface WebModel {
  readonly name: string;
  readonly model: LanguageModel;
  readonly tokenizer: ExportedTokenizer;
  readonly sample: readonly (readonly number[])[];
}

/** Bytes of a shard: small enough for the limits of static hosts. */
const SHARD = 16 << 20;

/**
 * Writes the folder under a temporary name, then gives it its own.
 *
 * @param page folder of the built page
 * @returns bytes of weights
 * @throws UserError when `out` exists (unless `force`) or cannot be written
 */
export async function exportWeb(
  out: string,
  page: string,
  models: readonly WebModel[],
  { force = false }: { force?: boolean } = {},
): Promise<number> {
  if (existsSync(out) && !force)
    throw new UserError(`Expected no folder ${out}, but it exists.`, { hint: "Replace it with --force." });
  if (existsSync(out) && !existsSync(join(out, "source.json")))
    throw new UserError(`Expected ${out} to be an exported page, found something else, which --force leaves alone.`, {
      hint: "Choose another --out.",
    });
  const unfinished = `${out}.tmp-${process.pid}`;
  try {
    makeFolder(join(unfinished, "weights"));
    cpSync(page, unfinished, { recursive: true });
    const exported: ExportedModel[] = [];
    for (const [index, model] of models.entries()) exported.push(await writeModel(unfinished, `m${index}`, model));
    const manifest: ExportManifest = { kind: "exported", models: exported };
    writeFileSync(join(unfinished, "source.json"), JSON.stringify(manifest));
    writeFileSync(join(unfinished, "serve.mjs"), SERVER);
    rmSync(out, { recursive: true, force: true });
    renameSync(unfinished, out);
    return exported.flatMap(({ shards }) => shards).reduce((sum, { bytes }) => sum + bytes, 0);
  } catch (error) {
    throw explainFileError(error, out);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function writeModel(folder: string, id: string, web: WebModel): Promise<ExportedModel> {
  const { name, model, tokenizer, sample } = web;
  const variables = Object.entries(model.variables());
  const bytes = Buffer.concat(
    await Promise.all(
      variables.map(async ([, variable]) => {
        const { buffer, byteOffset, byteLength } = (await variable.data()) as Float32Array;
        return new Uint8Array(buffer, byteOffset, byteLength);
      }),
    ),
  );
  const shards = Array.from({ length: Math.ceil(bytes.length / SHARD) }, (_, index) => {
    const part = bytes.subarray(index * SHARD, (index + 1) * SHARD);
    const file = `weights/${id}-${String(index).padStart(3, "0")}.bin`;
    writeFileSync(join(folder, file), part);
    return { file, bytes: part.length };
  });
  return {
    ...{ id, name, tokenizer, shards, sample },
    config: model.config as ExportedModel["config"],
    tensors: variables.map(([tensor, { shape }]) => ({ name: tensor, shape })),
  };
}

/** For people without a web server at hand: browsers let no page read its neighbours from a disk. */
const SERVER = `// Shows this folder at http://127.0.0.1:8000 (or the port given): node serve.mjs [port]
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, posix } from "node:path";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm", ".svg": "image/svg+xml" };

const server = createServer((request, response) => {
  const path = posix.normalize("/" + request.url.split("?")[0]);
  const file = join(here, path.endsWith("/") ? path + "index.html" : path);
  if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
});
server.on("error", ({ message }) => console.error(message + ". Give another port, as in: node serve.mjs 8001"));
server.listen(Number(process.argv[2] ?? 8000), "127.0.0.1", () => console.log(\`http://127.0.0.1:\${server.address().port}/\`));
`;
