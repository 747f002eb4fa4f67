/** Where the time of a piece of work went, kernel by kernel (our own backends). */
import type { KernelTime, NativeBackend } from "@mm/native";
import { UserError } from "@mm/run";

/** @throws UserError on another backend than native and cuda */
export async function profileKernels<Result>(
  backend: string,
  work: () => Promise<Result>,
): Promise<{ result: Result; kernels: KernelTime[] }> {
  if (backend !== "native" && backend !== "cuda") {
    throw new UserError(`Expected the native (or cuda) backend for a profile of its kernels, but this is ${backend}.`, {
      hint: "Choose it with --backend native; `mm doctor` says why it is not there.",
    });
  }
  const tf = await import("@tensorflow/tfjs");
  const { profile } = tf.findBackend(backend) as NativeBackend;
  profile.start();
  try {
    const result = await work();
    return { result, kernels: profile.stop() };
  } catch (error) {
    profile.stop();
    throw error;
  }
}

/** A table of kernels, the slowest first, with their share of the time in kernels. */
export function formatProfile(kernels: readonly KernelTime[], most = 20): string {
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = kernels.slice(0, most).map(({ kernel, calls, milliseconds }) => {
    const share = `${((100 * milliseconds) / total).toFixed(1)} %`;
    return `${kernel.padEnd(30)} ${milliseconds.toFixed(1).padStart(10)} ms ${share.padStart(8)} ${String(calls).padStart(8)} calls`;
  });
  return [...rows, `${"in kernels".padEnd(30)} ${total.toFixed(1).padStart(10)} ms`].join("\n");
}
