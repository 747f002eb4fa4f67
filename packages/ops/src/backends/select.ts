/** The choice of the TF.js backend that everything runs on. */
import { UserError } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { cpu } from "./cpu.js";
import type { BackendOptions, BackendProvider } from "./provider.js";
import { tensorflow } from "./tensorflow.js";
import { wasm } from "./wasm/index.js";
import { webgpu } from "./webgpu.js";

/** Fastest first: the order in which "auto" tries them. `native` comes from its own package, when that is imported. */
const order = ["native", "tensorflow", "webgpu", "wasm", "cpu"];

const providers = new Map<string, BackendProvider>(
  [tensorflow, webgpu, wasm, cpu].map((provider) => [provider.name, provider]),
);

/** Lets a package bring its own backend; one that is not in the order of speed is never chosen by itself. */
export function registerBackendProvider(provider: BackendProvider): void {
  providers.set(provider.name, provider);
}

export interface SelectedBackend {
  readonly name: string;
  readonly version: string;
  /** Why this one: "chosen by name", or why the faster ones were passed over. */
  readonly reason: string;
  /** 1 for a backend without threads of its own. */
  readonly threads: number;
  readonly precision: "fp32" | "bf16";
}

/**
 * Loads a backend and makes it the active one.
 *
 * @param name one of `availableBackends()`, or "auto" for the fastest that loads
 * @throws UserError when there is no backend of this name, or it cannot run here
 */
export async function selectBackend(name = "auto", options: BackendOptions = {}): Promise<SelectedBackend> {
  if (name !== "auto") return activate(providerNamed(name), options, "chosen by name");
  const passedOver: string[] = [];
  for (const provider of inOrder()) {
    if (!order.includes(provider.name)) continue;
    try {
      const reason = passedOver.length === 0 ? "the fastest" : `the fastest that runs here (${passedOver.join("; ")})`;
      return await activate(provider, options, reason);
    } catch (error) {
      passedOver.push(`${provider.name}: ${((error as Error).cause as Error)?.message ?? (error as Error).message}`);
    }
  }
  throw new UserError(`Expected at least one backend to run here, but none does (${passedOver.join("; ")}).`);
}

export interface BackendAvailability {
  readonly name: string;
  readonly description: string;
  readonly available: boolean;
  /** Of the backend, with what it found on this machine; where it is available. */
  readonly version?: string;
  /** Why not, where it is not available. */
  readonly reason?: string;
}

/** Every known backend, fastest first, and whether it loads here. Leaves the active backend as it is. */
export async function availableBackends(options: BackendOptions = {}): Promise<BackendAvailability[]> {
  const active = tf.engine().backendName;
  const found: BackendAvailability[] = [];
  for (const { name, description, load } of inOrder()) {
    try {
      const { version } = await load(options);
      found.push({ name, description, available: true, version });
    } catch (error) {
      found.push({ name, description, available: false, reason: (error as Error).message });
    }
  }
  if (active && tf.engine().backendName !== active) await tf.setBackend(active);
  return found;
}

function inOrder(): BackendProvider[] {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...providers.values()].sort((a, b) => place(a.name) - place(b.name));
}

function providerNamed(name: string): BackendProvider {
  const provider = providers.get(name);
  if (provider !== undefined) return provider;
  const known = ["auto", ...inOrder().map((each) => each.name)].join(", ");
  throw new UserError(`Expected a backend that is one of ${known}, found "${name}".`, {
    hint: "See `mm list backends`.",
  });
}

async function activate(provider: BackendProvider, options: BackendOptions, reason: string): Promise<SelectedBackend> {
  try {
    if (options.precision === "bf16" && !provider.precisions?.includes("bf16")) {
      throw new Error("it computes in fp32 only");
    }
    const { tfName, version, threads = 1 } = await provider.load(options);
    if (!(await tf.setBackend(tfName))) throw new Error("TensorFlow.js could not initialise it");
    await tf.ready();
    return { name: provider.name, version, reason, threads, precision: options.precision ?? "fp32" };
  } catch (error) {
    const found = (error as Error).message.replace(/\.$/, "");
    throw new UserError(`Expected the backend "${provider.name}" to run here, but ${found}.`, {
      hint:
        (error as Partial<UserError>).hint ??
        provider.hint ??
        "Choose another with `--backend`, or let `--backend auto` choose.",
      cause: error,
    });
  }
}
