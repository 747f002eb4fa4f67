import { closeSync, openSync, writeSync } from "node:fs";
import { writeAtomic } from "@mm/run";

/** Largest single transfer: the operating system moves less than 2 GiB at a time. */
export const LARGEST_TRANSFER = 1 << 30;

/** Writes a file from pieces that need not fit into one buffer, atomically. */
export function writePieces(path: string, pieces: Iterable<Uint8Array>): void {
  writeAtomic(path, (temporary) => {
    const file = openSync(temporary, "w");
    try {
      for (const bytes of pieces)
        for (let at = 0; at < bytes.length; )
          at += writeSync(file, bytes, at, Math.min(LARGEST_TRANSFER, bytes.length - at));
    } finally {
      closeSync(file);
    }
  });
}
