/**
 * BabiStories written by a language model, as in the paper: openings → names → stories → cleaning → split. Each stage can
 * be interrupted at any moment and goes on where it stopped; the result is the same as without the interruption.
 * (The last stage, tokens, is `buildDataset` on `babistoriesSource`.)
 */
import { setImmediate as breathe } from "node:timers/promises";
import { UserError } from "@mm/run";
import { hashBytes, mixBits } from "../../dataset/encode.js";
import type { SourceFile } from "../../dataset/info.js";
import { jsonRecords, textField } from "../../files/json-records.js";
import { readText } from "../../files/text-stream.js";
import type { CompletionRequest } from "../../llm/completion.js";
import { identityOf } from "../../llm/endpoint.js";
import { type Executor, generateAll } from "../../llm/generate.js";
import { Journal } from "../../llm/journal.js";
import { Tally, type TallyCounts } from "../../llm/tally.js";
import { Cleaner } from "./clean.js";
import { type CleaningReport, countUnder, emptyReport } from "./cleaning-report.js";
import type { BabiStoriesConfig } from "./config.js";
import { leaksPrompt, looksEnglish } from "./inspect.js";
import { LineFile, readLines, writeLines } from "./line-file.js";
import { namesIn, openingsIn } from "./lists.js";
import { NearDuplicates } from "./near-duplicates.js";
import { type Ingredients, listRequests, storyRequests } from "./requests.js";
import { digestOf, type StageName, type WorkFolder } from "./work-folder.js";

export interface GenerationProgress {
  readonly stage: StageName;
  /** Requests settled or stories done. */
  readonly done: number;
  readonly total: number;
  /** What this run asked so far; undefined in stages that ask nothing. */
  readonly tally: Tally | undefined;
  /** Requests that wait for an answer now. */
  readonly active: number;
}

export interface GenerationOptions {
  readonly folder: WorkFolder;
  /** Opened for each stage that has requests, by a name of the stage and its settings. */
  readonly executor: (name: string) => Promise<Executor>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: GenerationProgress) => void;
}

export interface Generated {
  readonly openings: number;
  readonly names: number;
  readonly cleaning: CleaningReport;
  readonly files: { readonly train: SourceFile; readonly valid: SourceFile };
  /** Tokens, requests and faults of all stages, over all interruptions. */
  readonly tally: Tally;
}

const CLEAN_FILE = "stories_clean.txt";
export const TRAIN_FILE = "traindataset.txt";
export const VALID_FILE = "valdataset.txt";
const EXAMPLES = 5;

/** @throws UserError when interrupted, when the model cannot be asked, or when nothing usable came of it */
export async function generateBabiStories(config: BabiStoriesConfig, options: GenerationOptions): Promise<Generated> {
  const generation = new Generation(config, options);
  const openings = await generation.list("openings", openingsIn);
  const names = await generation.list("names", namesIn);
  const ingredients = { openings: openings.entries, names: names.entries };
  const origin = await generation.stories(ingredients, [openings.digest, names.digest]);
  const cleaning = await generation.clean(ingredients, origin);
  const files = await generation.split(cleaning.file, cleaning.report.kept);
  const tally = new Tally();
  for (const part of [openings.tally, names.tally, cleaning.tally]) tally.merge(part);
  return {
    openings: openings.entries.length,
    names: names.entries.length,
    cleaning: cleaning.report,
    files,
    tally,
  };
}

class Generation {
  readonly #config: BabiStoriesConfig;
  readonly #options: GenerationOptions;
  readonly #identity: unknown;

  constructor(config: BabiStoriesConfig, options: GenerationOptions) {
    this.#config = config;
    this.#options = options;
    this.#identity = { seed: config.seed, ...identityOf(config.endpoint) };
  }

  /** Openings or names: asked of the model, or read from a file. */
  async list(stage: "openings" | "names", entriesIn: (answer: string) => Iterable<string>): Promise<List> {
    const settings = this.#config[stage];
    const { folder } = this.#options;
    const output = `${stage}.txt`;
    const given = settings.file === undefined ? undefined : readLines(settings.file);
    const input = given ?? { identity: this.#identity, settings };
    const { file, tally } = await folder.stage(stage, input, [output], async () => {
      const tally = new Tally();
      const entries = given ?? (await this.#ask(stage, entriesIn, tally));
      if (entries.length === 0) {
        throw new UserError(`Expected ${stage} in the model's answers but found none.`, {
          hint: `Look at ${folder.file(`${stage}.journal`)}: the answers must be numbered lists. Or give a file: --set ${stage}.file=PATH`,
        });
      }
      const file = await writeLines(folder.file(output), (out) => {
        for (const entry of entries) out.write(entry);
      });
      return { file, tally: tally as TallyCounts };
    });
    return { entries: readLines(folder.file(output)), digest: file.sha256, tally };
  }

  async #ask(
    stage: "openings" | "names",
    entriesIn: (answer: string) => Iterable<string>,
    tally: Tally,
  ): Promise<string[]> {
    const { requests, answers, maxTokens } = this.#config[stage];
    const journal = this.#journal(stage, { answers, maxTokens });
    try {
      await this.#generate(stage, journal, requests, () => listRequests(this.#config, stage));
      const entries = new Set<string>();
      for (let id = 0; id < requests; id++) {
        const outcome = journal.read(id)!;
        tally.add(outcome);
        for (const answer of outcome.texts) for (const entry of entriesIn(answer)) entries.add(entry);
      }
      return [...entries];
    } finally {
      journal.close();
    }
  }

  /** @returns a digest of the stories' origin, for the next stage */
  async stories(ingredients: Ingredients, digests: readonly string[]): Promise<string> {
    const { count, stories } = this.#config;
    const input = { identity: this.#identity, digests, stories };
    const journal = this.#journal("stories", { ...stories, ingredients: digestOf(digests) });
    try {
      await this.#options.folder.stage("stories", { ...input, count }, [], async () => {
        const requests = () => storyRequests(this.#config, ingredients, (id) => journal.has(id), this.#options.signal);
        await this.#generate("stories", journal, count, requests);
      });
      return digestOf({ input, count, held: journal.count });
    } finally {
      journal.close();
    }
  }

  async clean(ingredients: Ingredients, input: string): Promise<CleanStories> {
    const { folder } = this.#options;
    const { cleaning, stories } = this.#config;
    return folder.stage("cleaning", { input, cleaning }, [CLEAN_FILE], async () => {
      const journal = this.#journal("stories", undefined);
      try {
        const report = emptyReport();
        const tally = new Tally();
        const file = await writeLines(folder.file(CLEAN_FILE), async (out) => {
          const cleaner = new StoryCleaner(cleaning, report);
          const missing = (id: number) => !journal.has(id);
          for await (const request of storyRequests(this.#config, ingredients, missing, this.#options.signal)) {
            const outcome = journal.read(request.id)!;
            tally.add(outcome);
            report.requests++;
            if (outcome.texts.length === 0) report.unanswered++;
            for (const [index, text] of outcome.texts.entries()) {
              const clean = cleaner.take(text, outcome.truncated.includes(index), request);
              if (clean !== undefined) out.write(JSON.stringify(clean));
            }
            await this.#pause("cleaning", report.requests, journal.count);
          }
        });
        if (report.kept === 0) {
          throw new UserError(`Expected stories after cleaning but all ${report.stories} were rejected.`, {
            hint: `Look at ${folder.file("stories.journal")}: does the model write stories? (${stories.maxTokens} tokens at most)`,
          });
        }
        return { file, report, tally: tally as TallyCounts };
      } finally {
        journal.close();
      }
    });
  }

  /** By the hash of the text and the seed, as in every dataset here, so that equal stories never stand in both. */
  async split(clean: SourceFile, stories: number): Promise<{ train: SourceFile; valid: SourceFile }> {
    const { folder } = this.#options;
    const { valid, seed } = this.#config.split;
    return folder.stage("split", { clean: clean.sha256, valid, seed }, [TRAIN_FILE, VALID_FILE], async () => {
      const out = { train: new LineFile(folder.file(TRAIN_FILE)), valid: new LineFile(folder.file(VALID_FILE)) };
      try {
        const path = folder.file(CLEAN_FILE);
        const context = { scratch: "", signal: this.#options.signal, noteFile() {}, expectBytes() {} };
        let done = 0;
        for await (const record of jsonRecords(readText(path, context), path)) {
          const text = textField(record, "text");
          const bytes = Buffer.from(text);
          const inValid = mixBits(hashBytes(bytes, 0, bytes.length) ^ mixBits(seed)) < valid * 2 ** 32;
          out[inValid ? "valid" : "train"].write(JSON.stringify(text));
          await this.#pause("split", ++done, stories);
        }
      } catch (error) {
        out.train.abandon();
        out.valid.abandon();
        throw error;
      }
      return { train: out.train.finish(), valid: out.valid.finish() };
    });
  }

  /** A journal begun with other settings is refused; without settings it is only read. */
  #journal(stage: StageName, settings: Record<string, unknown> | undefined): Journal {
    const path = this.#options.folder.file(`${stage}.journal`);
    return new Journal(path, settings === undefined ? undefined : { identity: this.#identity, ...settings });
  }

  async #generate(
    stage: StageName,
    journal: Journal,
    total: number,
    requests: () => AsyncIterable<CompletionRequest> | Iterable<CompletionRequest>,
  ): Promise<void> {
    const { signal, onProgress } = this.#options;
    const executor = await this.#options.executor(`${stage}-${digestOf(journal.header).slice(0, 16)}`);
    const run = new Tally();
    await generateAll(executor, {
      requests,
      journal,
      tally: run,
      rounds: this.#config.limits.rounds,
      signal,
      onProgress: () => onProgress?.({ stage, done: journal.count, total, tally: run, active: executor.active }),
    });
  }

  /** Shows progress and lets signals in, now and then. */
  async #pause(stage: StageName, done: number, total: number): Promise<void> {
    if (done % 1000 !== 0) return;
    this.#options.onProgress?.({ stage, done, total, tally: undefined, active: 0 });
    await breathe();
    if (this.#options.signal?.aborted) {
      throw new UserError("Interrupted.", { hint: "What is written is kept; run the same command again to go on." });
    }
  }
}

interface List {
  readonly entries: string[];
  readonly digest: string;
  readonly tally: TallyCounts;
}

interface CleanStories {
  readonly file: SourceFile;
  readonly report: CleaningReport;
  readonly tally: TallyCounts;
}

/** All that happens to one story on its way into the corpus. */
class StoryCleaner {
  readonly #cleaner: Cleaner;
  readonly #report: CleaningReport;
  readonly #seen: NearDuplicates | undefined;
  readonly #dropTruncated: boolean;

  constructor(config: BabiStoriesConfig["cleaning"], report: CleaningReport) {
    this.#cleaner = new Cleaner(config);
    this.#report = report;
    this.#dropTruncated = config.truncated === "drop";
    if (config.nearDuplicates) {
      this.#seen = new NearDuplicates(config.similarity);
      report.nearDuplicates = 0;
    }
  }

  take(story: string, truncated: boolean, { prompt }: CompletionRequest): string | undefined {
    const report = this.#report;
    report.stories++;
    if (truncated && this.#dropTruncated) {
      report.truncatedDropped++;
      return undefined;
    }
    const { text, cuts, rejected } = this.#cleaner.clean(story);
    if (cuts.length > 0) report.cutStories++;
    for (const marker of cuts) countUnder(report.cuts, marker);
    if (text === undefined) {
      countUnder(report.rejected, rejected!);
      return undefined;
    }
    if (this.#seen?.add(text) !== undefined) {
      report.nearDuplicates!++;
      return undefined;
    }
    if (leaksPrompt(text, prompt) && ++report.leaks <= EXAMPLES) report.leakExamples.push(text.slice(0, 200));
    if (!looksEnglish(text) && ++report.notEnglish <= EXAMPLES) report.notEnglishExamples.push(text.slice(0, 200));
    report.kept++;
    return text;
  }
}
