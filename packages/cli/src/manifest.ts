/**
 * oclif's manifest: names, flags and help of all commands in one file. With it a start loads the one command that it
 * runs; without, all of them. The launcher removes the file whenever it builds, and the next start writes it anew.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "@mm/run";
import { Plugin } from "@oclif/core";

/** Writes the manifest where there is none; a folder that cannot be written goes without. */
export async function writeManifest(root: string): Promise<void> {
  const path = join(root, "oclif.manifest.json");
  if (existsSync(path)) return;
  const plugin = new Plugin({ root, errorOnManifestCreate: true, ignoreManifest: true, respectNoCacheDefault: true });
  await plugin.load();
  try {
    await writeFileAtomic(path, JSON.stringify(plugin.manifest));
  } catch {
    // Slower, and otherwise the same.
  }
}
