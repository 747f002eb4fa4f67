import type { BackendOptions, SelectedBackend } from "@mm/ops";

export interface BackendChoice extends BackendOptions {
  backend: string;
}

/** Loads a backend, the native one included where it was built. */
export async function loadBackend({ backend, threads, precision }: BackendChoice): Promise<SelectedBackend> {
  await import("@mm/native");
  const { selectBackend } = await import("@mm/ops");
  return selectBackend(backend, { threads, precision });
}
