/**
 * The addon of the GPU's kernels, and the CPU's behind it: a kernel that the GPU lacks, or declines, runs on the CPU with
 * copies of its tensors. A profile shows such calls as "name (through host memory)".
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { UserError } from "@mm/run";
import { type Addon, loadAddon, type NativeArgument, type NativeFunction } from "../addon.js";
import type { KernelProfile } from "../profile.js";

/** MM_CUDA_ADDON names another build: that of the emulation, for tests. */
const path = process.env["MM_CUDA_ADDON"] ?? fileURLToPath(new URL("../../build/mm-cuda.node", import.meta.url));
const build = "node packages/native/scripts/build-cuda.js";

/**
 * The GPU's addon with the CPU's kernels where it has none.
 *
 * @param profile of the backend that will use it
 * @throws UserError when it has not been built, or there is no GPU, or the CPU's addon is missing
 */
export function loadCudaAddon(profile: () => KernelProfile): Addon {
  if (!existsSync(path)) {
    throw new UserError("the CUDA kernels (experimental) are not built", {
      hint: `Install the CUDA toolkit, 12 or 13, then run \`${build}\`.`,
    });
  }
  let device: Addon;
  try {
    device = createRequire(import.meta.url)(path) as Addon;
    device.instructionSet();
  } catch (cause) {
    throw new UserError(`the CUDA kernels find no GPU to run on: ${(cause as Error).message}`, {
      hint: "`nvidia-smi` says whether there is a GPU and a driver for CUDA 12 or later.",
      cause,
    });
  }
  const host = loadAddon();
  const kernels = Object.fromEntries(
    Object.entries(host.kernels).map(([name, onHost]) => {
      const copied = throughHost(host, device, onHost);
      const measured = (...values: NativeArgument[]) =>
        profile().measure(`${name} (through host memory)`, () => copied(...values));
      return [name, Object.assign(onDevice(device.kernels[name], measured), { parameters: onHost.parameters })];
    }),
  );
  return {
    ...device,
    kernels,
    threads: () => host.threads(),
    setThreads: (count) => host.setThreads(count),
  };
}

type Call = (...values: NativeArgument[]) => number | undefined;

function onDevice(call: NativeFunction | undefined, otherwise: Call): Call {
  return call === undefined ? otherwise : (...values) => call(...values) ?? otherwise(...values);
}

/** The CPU's kernel on copies of the tensors that it is given; what it writes is copied back. */
function throughHost(host: Addon, device: Addon, call: NativeFunction): Call {
  return (...values) => {
    const copies = new Map<number, number>();
    const copyOf = (address: number): number => {
      const known = copies.get(address);
      if (known !== undefined) return known;
      const bytes = device.sizeOf(address);
      const copy = host.allocate(bytes);
      copies.set(address, copy);
      device.copyOut(address, copy, bytes);
      return copy;
    };
    const isTensor = (value: NativeArgument, i: number): value is number =>
      call.parameters[i] !== "n" && typeof value === "number" && value !== 0;
    try {
      const result = call(...values.map((value, i) => (isTensor(value, i) ? copyOf(value) : value)));
      for (const [i, value] of values.entries()) {
        if (isTensor(value, i) && call.parameters[i] === "o") {
          device.copyIn(value, copies.get(value)!, device.sizeOf(value));
        }
      }
      return result;
    } finally {
      for (const copy of copies.values()) host.release(copy);
    }
  };
}
