import type { SelectedBackend } from "@mm/ops";
import type { Command } from "@oclif/core";
import { Flags } from "@oclif/core";
import { BaseCommand } from "./base-command.js";
import { type BackendChoice, loadBackend } from "./load-backend.js";

/** Flags of every command that computes with tensors. */
export const backendFlags = {
  backend: Flags.string({
    summary: "Where tensors live: auto, native, tensorflow, webgpu, wasm, cpu or cuda.",
    default: "auto",
    helpGroup: "BACKEND",
  }),
  threads: Flags.integer({
    summary: "Threads of the native backend (default: all cores).",
    min: 1,
    env: "MM_THREADS",
    helpGroup: "BACKEND",
  }),
  precision: Flags.option({
    summary: "Of the inputs of matrix products; bf16 needs the native or the cuda backend.",
    options: ["fp32", "bf16"] as const,
    helpGroup: "BACKEND",
  })(),
};

/** A command that computes with tensors; it loads TF.js when it runs, so that help stays instant. */
export abstract class TensorCommand<C extends typeof Command> extends BaseCommand<C> {
  static override baseFlags = { ...BaseCommand.baseFlags, ...backendFlags };

  /** Loads the backend that the flags ask for; says why it is this one when nobody asked. */
  protected async useBackend(precision?: "fp32" | "bf16", preferred = "auto"): Promise<SelectedBackend> {
    const flags = this.flags as BackendChoice;
    const backend = flags.backend === "auto" ? preferred : flags.backend;
    const selected = await loadBackend({ ...flags, backend, precision: flags.precision ?? precision });
    this.reporter.line(`backend: ${selected.name} ${selected.version} (${selected.reason})`);
    return selected;
  }
}
