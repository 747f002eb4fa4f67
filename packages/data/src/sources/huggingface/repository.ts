/**
 * Files of a dataset repository in the manner of the Hugging Face hub, over HTTP(S): listed with sizes and checksums,
 * fetched into a cache folder, resumed where an earlier try stopped, and checked before use.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { explainFileError, makeFolder, UserError } from "@mm/run";
import { z } from "zod";

export interface Repository {
  /** "https://huggingface.co", or a mirror. */
  readonly endpoint: string;
  /** "owner/name". */
  readonly name: string;
  /** A branch, tag or commit. */
  readonly revision: string;
  /** For private repositories; sent as a bearer token, never shown. */
  readonly token?: string | undefined;
}

const Entry = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().nonnegative(),
  /** The Git object id: sha1 of "blob SIZE\0" and the content. */
  oid: z.string(),
  lfs: z.object({ oid: z.string(), size: z.number() }).optional(),
});
export type RepositoryFile = z.infer<typeof Entry>;

const ATTEMPTS = 5;
const FIRST_WAIT_MS = 500;
/** A transfer that gives nothing for this long is tried again. */
const STALLED_MS = 60_000;

/** All files of the repository, over as many pages as the server gives. */
export async function listFiles(repository: Repository, signal?: AbortSignal): Promise<RepositoryFile[]> {
  const { endpoint, name, revision } = repository;
  const files: RepositoryFile[] = [];
  let url: string | undefined = `${endpoint}/api/datasets/${name}/tree/${encodeURIComponent(revision)}?recursive=true`;
  while (url !== undefined) {
    const response: Response = await request(url, repository, {}, signal);
    const page = z.array(Entry).safeParse(await response.json().catch(() => undefined));
    if (!page.success) throw new UserError(`Expected a list of files from ${url} but found something else.`);
    files.push(...page.data.filter(({ type }) => type === "file"));
    url = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
  }
  return files;
}

/**
 * Fetches a file unless a whole one is in the cache; returns its path there.
 *
 * @throws UserError when the server refuses, or the content does not have the announced checksum
 */
export async function fetchFile(
  repository: Repository,
  file: RepositoryFile,
  cache: string,
  signal?: AbortSignal,
): Promise<string> {
  const path = resolve(cache, file.path);
  if (!path.startsWith(resolve(cache) + sep)) {
    throw new UserError(`Expected files within the repository ${repository.name} but its server names ${file.path}.`, {
      hint: "That would write elsewhere on this disk: do not use this server.",
    });
  }
  const partial = `${path}.partial`;
  if (existsSync(path) && (await matches(path, file))) return path;
  makeFolder(dirname(path));
  const encoded = file.path.split("/").map(encodeURIComponent).join("/");
  const { endpoint, name, revision } = repository;
  const url = `${endpoint}/datasets/${name}/resolve/${encodeURIComponent(revision)}/${encoded}`;
  for (let attempt = 1; sizeOf(partial) < file.size || !existsSync(partial); attempt++) {
    const before = sizeOf(partial);
    try {
      await continueFile(repository, url, partial, file.size, signal);
    } catch (error) {
      if (error instanceof UserError || signal?.aborted) throw error;
      const explained = explainFileError(error, partial);
      if (explained instanceof UserError) throw explained;
      // Progress counts as a fresh start.
      if (sizeOf(partial) > before) attempt = 1;
      if (attempt >= ATTEMPTS) {
        throw new UserError(`Cannot fetch ${url}: ${(error as Error).message}.`, {
          hint: "Run the command again: it goes on where it stopped.",
          cause: error,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (attempt - 1)));
    }
  }
  if (!(await matches(partial, file))) {
    rmSync(partial, { force: true });
    throw new UserError(`Expected the checksum ${file.lfs?.oid ?? file.oid} for ${url} but the content differs.`, {
      hint: "The file changed or was damaged on the way; run the command again.",
    });
  }
  renameSync(partial, path);
  return path;
}

/** Appends what is missing; starts anew when the server cannot continue. */
async function continueFile(
  repository: Repository,
  url: string,
  partial: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const start = sizeOf(partial) <= size ? sizeOf(partial) : 0;
  const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {};
  const response = await request(url, repository, headers, signal);
  const resumed = start > 0 && response.status === 206;
  if (response.body === null) throw new Error("the answer has no content");
  const body = Readable.fromWeb(response.body as import("node:stream/web").ReadableStream);
  let timer = setTimeout(() => body.destroy(new Error("the transfer stalled")), STALLED_MS);
  body.on("data", () => {
    clearTimeout(timer);
    timer = setTimeout(() => body.destroy(new Error("the transfer stalled")), STALLED_MS);
  });
  try {
    await pipeline(body, createWriteStream(partial, { flags: resumed ? "a" : "w" }), { ...(signal && { signal }) });
  } finally {
    clearTimeout(timer);
  }
  if (sizeOf(partial) < size) throw new Error(`the transfer ended after ${sizeOf(partial)} of ${size} bytes`);
}

async function request(
  url: string,
  { token, name }: Repository,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    let problem: string;
    try {
      const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` };
      const response = await fetch(url, { headers: { ...headers, ...authorization }, ...(signal && { signal }) });
      if (response.ok) return response;
      await response.body?.cancel();
      problem = `status ${response.status}`;
      if (response.status === 401 || response.status === 403 || response.status === 404) {
        throw new UserError(`Cannot fetch ${url}: ${problem}.`, {
          hint: `Check the name "${name}" and the revision; a private repository needs a token in the environment.`,
        });
      }
      if (response.status < 500 && response.status !== 429) throw new UserError(`Cannot fetch ${url}: ${problem}.`);
    } catch (error) {
      if (error instanceof UserError || signal?.aborted) throw error;
      const cause = (error as { cause?: Error }).cause;
      problem = cause?.message ?? (error as Error).message;
    }
    if (attempt >= ATTEMPTS) {
      throw new UserError(`Cannot fetch ${url}: ${problem}.`, { hint: "Check the network and the address." });
    }
    await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (attempt - 1)));
  }
}

/** Whether a file has the announced size and checksum: sha256 for large files, Git's blob id for small ones. */
async function matches(path: string, { size, oid, lfs }: RepositoryFile): Promise<boolean> {
  if (sizeOf(path) !== size) return false;
  const hash: Hash = lfs === undefined ? createHash("sha1").update(`blob ${size}\0`) : createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === (lfs?.oid ?? oid);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
