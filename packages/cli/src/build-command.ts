import { join } from "node:path";
import type { BuildOptions, Source } from "@mm/data";
import type { Command } from "@oclif/core";
import { Flags } from "@oclif/core";
import { BaseCommand } from "./base-command.js";
import { interruptible } from "./interrupt.js";
import { numberFlag } from "./number-flag.js";
import { DATASETS } from "./places.js";
import type { Reporter } from "./reporter.js";

/** A command that turns one kind of source into a dataset folder. */
export abstract class BuildCommand<C extends typeof Command> extends BaseCommand<C> {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    out: Flags.string({ char: "o", summary: "Folder of the dataset (default: datasets/NAME).", helpGroup: "BUILD" }),
    valid: numberFlag({
      summary: "Share of documents for validation, from 0 to below 1.",
      min: 0,
      max: 1,
      helpGroup: "BUILD",
    }),
    "split-seed": Flags.integer({
      summary: "Decides which documents go to validation.",
      default: 0,
      helpGroup: "BUILD",
    }),
    threads: Flags.integer({
      summary: "Worker threads that tokenize (default: all cores).",
      min: 0,
      helpGroup: "BUILD",
    }),
    force: Flags.boolean({ summary: "Replace an existing dataset, once the new one is whole.", helpGroup: "BUILD" }),
    "no-text": Flags.boolean({ summary: "Do not keep the text (stories.arrow).", helpGroup: "BUILD" }),
  };

  /** Builds the dataset, prints the paper's Table 1 for it, and returns what `dataset.json` says. */
  protected async build(source: Source, defaultName: string) {
    const { formatTableOne } = await import("@mm/data");
    const flags = this.flags as {
      out?: string;
      valid?: number;
      "split-seed": number;
      threads?: number;
      force: boolean;
      "no-text": boolean;
    };
    const folder = flags.out ?? join(DATASETS, defaultName);
    const options: BuildOptions = {
      force: flags.force,
      seed: flags["split-seed"],
      stories: !flags["no-text"],
      ...(flags.valid !== undefined && { valid: flags.valid }),
      ...(flags.threads !== undefined && { threads: flags.threads }),
    };
    const { info, seconds } = await interruptible(
      () => this.reporter.line("stopping; nothing is kept of an unfinished dataset"),
      (signal) => buildWithProgress(source, folder, { ...options, signal }, this.reporter),
    );
    this.log(formatTableOne(info));
    const rate = info.splits.train.tokens + info.splits.valid.tokens;
    this.log(
      `\n${folder} built in ${seconds.toFixed(1)} s (${Math.round(rate / seconds).toLocaleString("en")} tokens/s)\nNext: mm train --dataset ${folder} --recipe stories/mosaic`,
    );
    return { folder, seconds, ...info };
  }
}

/** `buildDataset` with a progress bar: by bytes where the source knows how much there is, by documents otherwise. */
export async function buildWithProgress(source: Source, folder: string, options: BuildOptions, reporter: Reporter) {
  const { buildDataset } = await import("@mm/data");
  const count = source.settings["count"];
  let progress: ReturnType<Reporter["progress"]> | undefined;
  const summary = await buildDataset(source, folder, {
    ...options,
    onProgress({ documents, tokens, bytes, expectedBytes }) {
      const note = `${tokens.toLocaleString("en")} tokens`;
      if (expectedBytes !== undefined) {
        progress ??= reporter.progress(`tokenizing ${source.kind}`, Math.ceil(expectedBytes / 1e6), "MB");
        progress.update(Math.floor(bytes / 1e6), note);
      } else if (typeof count === "number") {
        progress ??= reporter.progress(`tokenizing ${source.kind}`, count, "stories");
        progress.update(documents, note);
      }
    },
  });
  progress?.finish();
  return summary;
}
