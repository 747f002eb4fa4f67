/** Runs the PyTorch peer of `benchmarks/peers` on the same shape, in a process of its own. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { UserError } from "@mm/run";

/** Where the peer is. */
export interface Peer {
  folder: string;
  python: string;
}

/** A measurement that its `bench.py` knows. */
export type PeerJob =
  | { what: "train"; shape: string; attention: "blocked"; dtype: "fp32" | "bf16"; dropout: number; compile: boolean }
  | { what: "generate"; shape: string; dtype: "fp32" | "bf16" };

export interface PeerTimes {
  medianMilliseconds: number;
  fastestMilliseconds: number;
  steps: number;
  peakMemory: number;
}

/** Keeps the C allocator from giving large buffers back to the system after every step. */
const ALLOCATOR = {
  MALLOC_TRIM_THRESHOLD_: "8000000000",
  MALLOC_MMAP_THRESHOLD_: "8000000000",
  MALLOC_TOP_PAD_: "200000000",
  GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
};

/** @throws UserError when Python, PyTorch or the peer is not there */
export function measurePeer(peer: Peer, job: PeerJob, seconds: number): PeerTimes {
  const { median_ms, min_ms, steps, peak_rss_mb } = askPeer(peer, job, seconds) as Record<string, number>;
  return {
    medianMilliseconds: median_ms!,
    fastestMilliseconds: min_ms!,
    steps: steps!,
    peakMemory: peak_rss_mb! * 2 ** 20,
  };
}

/**
 * GFLOP/s of PyTorch's matrix products (oneDNN's) by shape and layout, as in `4×3×2 A·Bᵀ`.
 *
 * @param shapes m × n × k of each
 * @param seconds of each measurement
 * @throws UserError when Python, PyTorch or the peer is not there
 */
export function measurePeerProducts(
  peer: Peer,
  dtype: "fp32" | "bf16",
  shapes: readonly (readonly number[])[],
  seconds: number,
): Record<string, number> {
  return askPeer(peer, { what: "products", dtype, shapes }, seconds)["gflops"] as Record<string, number>;
}

function askPeer({ folder, python }: Peer, job: object, seconds: number): Record<string, unknown> {
  const script = join(folder, "bench.py");
  const asked = JSON.stringify({ ...job, impl: "torch" });
  const result = spawnSync(python, [script, "--one", asked, "--seconds", String(seconds)], {
    env: { ...process.env, ...ALLOCATOR },
    encoding: "utf8",
  });
  const line = /^RESULT (.*)$/m.exec(result.stdout ?? "")?.[1];
  if (line === undefined) {
    const last = (result.stderr || String(result.error ?? "")).trim().split("\n").at(-1);
    throw new UserError(`Expected ${python} ${script} to measure the peer, but it said: ${last}`, {
      hint: "It needs Python with torch >= 2.9 (pip install torch); name that Python with --python.",
    });
  }
  return JSON.parse(line) as Record<string, unknown>;
}
