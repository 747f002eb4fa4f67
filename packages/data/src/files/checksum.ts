/** sha256 and size of a file, read in pieces. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { explainFileError } from "@mm/run";
import type { SourceFile } from "../dataset/info.js";

export async function checksum(path: string): Promise<SourceFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
  } catch (error) {
    throw explainFileError(error, path);
  }
  return { path, bytes, sha256: hash.digest("hex") };
}
