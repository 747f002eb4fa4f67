/** TensorFlow's C library, where the user has installed one of its Node packages. */
import type { BackendProvider } from "./provider.js";

/** With a GPU first. Both must match the version of @tensorflow/tfjs. */
const packages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];

export const tensorflow: BackendProvider = {
  name: "tensorflow",
  description:
    "TensorFlow's C library, on a CUDA GPU or the CPU, when @tensorflow/tfjs-node-gpu or tfjs-node is installed",
  hint: "Install it with `pnpm add -w @tensorflow/tfjs-node-gpu@4.22.0` (or @tensorflow/tfjs-node), or choose another backend.",
  async load() {
    const reasons: string[] = [];
    for (const name of packages) {
      try {
        const loaded = (await import(name)) as { version?: Record<string, string> };
        return { tfName: "tensorflow", version: `${name} ${loaded.version?.["tfjs-node"] ?? ""}`.trim() };
      } catch (error) {
        reasons.push(
          isMissing(error, name) ? `${name} is not installed` : `${name} does not load: ${firstLine(error)}`,
        );
      }
    }
    throw new Error(reasons.join("; "));
  },
};

export function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") && message.includes(name);
}

export function firstLine(error: unknown): string {
  return String((error as Error)?.message ?? error).split("\n")[0]!;
}
