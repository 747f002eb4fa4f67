import type { SelectedBackend } from "@mm/ops";

export interface BackendChoice {
  backend: string;
  threads?: number | undefined;
  precision?: "fp32" | "bf16" | undefined;
}

/** Loads a backend, the native one included where it was built. */
export async function loadBackend({ backend, threads, precision }: BackendChoice): Promise<SelectedBackend> {
  await import("@mm/native");
  const { selectBackend } = await import("@mm/ops");
  return selectBackend(backend, { threads, precision });
}
