import type { SelectedBackend } from "@mm/ops";
import { UserError } from "@mm/run";
import { Flags } from "@oclif/core";

/** How commands that decode keep the weights. */
export const decodingFlags = {
  weights: Flags.option({
    summary: "Keep the matrices that are read for every token in fewer bits, for speed: bf16, int8 (native backend).",
    options: ["fp32", "bf16", "int8"] as const,
    default: "fp32",
  })(),
};

/** @throws UserError where packed weights would only be unpacked again for every token */
export function checkWeights(weights: "fp32" | "bf16" | "int8", { name }: SelectedBackend): void {
  if (weights === "fp32" || name === "native") return;
  throw new UserError(`Expected the native backend for weights in ${weights}, but this is ${name}.`, {
    hint: "Leave --weights out, or choose --backend native; `mm doctor` says why it is not there.",
  });
}
