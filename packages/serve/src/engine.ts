/**
 * Continuous batching. All texts that are being written advance together, one token per pass of the model; a request joins
 * at the next pass and leaves when it is done, while the others go on. Long prompts are read in pieces, so that they do
 * not hold up the rest; a text whose reader is slow waits.
 */
import { setImmediate } from "node:timers/promises";
import {
  chooseToken,
  type Decoder,
  GrowingText,
  logProbability,
  mostProbable,
  type Overflow,
  type Sampling,
  type ScoredToken,
} from "@mm/models";
import type { ServedModel } from "./served-model.js";

export interface GenerationRequest {
  /** At least one token. */
  prompt: readonly number[];
  maxTokens: number;
  sampling: Sampling;
  /** Gives the log-probability of every token, and of so many most probable ones in its place. */
  alternatives?: number | undefined;
  /** Also gives the prompt's own tokens, with their log-probabilities where these are asked for. */
  echo?: boolean | undefined;
  overflow?: Overflow | undefined;
}

export interface GeneratedToken extends Partial<ScoredToken> {
  token: number;
  /** Whether it is the prompt's. The first token of a text has no log-probability. */
  ofPrompt: boolean;
  alternatives?: ScoredToken[];
}

export interface EngineSettings {
  /** Texts that advance together. */
  batch: number;
  /** Tokens of a prompt that are read at a time. */
  promptChunk: number;
  /** Tokens that may wait for their reader before the text pauses. */
  ahead: number;
}

const DEFAULTS: EngineSettings = { batch: 32, promptChunk: 128, ahead: 64 };

/** One text being written. */
class Job {
  readonly text: GrowingText;
  readonly ready: GeneratedToken[] = [];
  /** Tokens of the prompt that were given back already. */
  echoed = 0;
  made = 0;
  finished = false;
  failure: unknown;
  /** Tells the reader that there is something new. */
  notify: () => void = () => {};

  constructor(
    readonly request: GenerationRequest,
    { decoder }: ServedModel,
  ) {
    this.text = new GrowingText(decoder, request.prompt, request.overflow ?? "stream");
  }

  get scoresPrompt(): boolean {
    return this.request.echo === true && this.request.alternatives !== undefined;
  }

  /** Whether the prompt is still being read for its scores. */
  get scoring(): boolean {
    return this.scoresPrompt && this.made === 0;
  }

  finish(failure?: unknown): void {
    this.finished = true;
    this.failure = failure;
    this.text.dispose();
    this.notify();
  }
}

export class Engine {
  readonly #jobs = new Set<Job>();
  readonly #settings: EngineSettings;
  #running = false;
  #wake: () => void = () => {};

  constructor(
    readonly model: ServedModel,
    settings: Partial<EngineSettings> = {},
  ) {
    this.#settings = { ...DEFAULTS, ...settings };
  }

  /** Texts that are being written or wait for their turn. */
  get load(): number {
    return this.#jobs.size;
  }

  /**
   * Writes a text; leaving the loop ends it. It ends by itself after `maxTokens` or with the end-of-text token, which is
   * given as well.
   */
  async *generate(request: GenerationRequest, signal?: AbortSignal): AsyncGenerator<GeneratedToken> {
    signal?.throwIfAborted();
    const job = new Job(request, this.model);
    this.#add(job);
    const abort = () => this.#end(job, signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      while (true) {
        if (job.failure !== undefined) throw job.failure;
        const next = job.ready.shift();
        if (next !== undefined) {
          if (job.ready.length < this.#settings.ahead) this.#wake();
          yield next;
        } else if (job.finished) return;
        else
          await new Promise<void>((resolve) => {
            job.notify = resolve;
          });
      }
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#end(job);
    }
  }

  #add(job: Job): void {
    this.#jobs.add(job);
    this.#wake();
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  #end(job: Job, failure?: unknown): void {
    if (this.#jobs.delete(job) || failure !== undefined) job.finish(failure);
    this.#wake();
  }

  async #run(): Promise<void> {
    // Requests that arrive in the same moment start together.
    await setImmediate();
    while (this.#jobs.size > 0) {
      const turn = this.#nextBatch();
      if (turn.length > 0) await this.#step(turn);
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      // Lets readers, connections and timers have their turn.
      await setImmediate();
    }
    this.#running = false;
  }

  /** The texts of the next pass; those who had to stand back come first in the one after. */
  #nextBatch(): Job[] {
    const able = [...this.#jobs].filter((job) => job.ready.length < this.#settings.ahead);
    const turn = able.slice(0, this.#settings.batch);
    if (able.length > turn.length)
      for (const job of turn) {
        this.#jobs.delete(job);
        this.#jobs.add(job);
      }
    return turn;
  }

  async #step(jobs: Job[]): Promise<void> {
    try {
      for (const job of jobs) this.#echo(job);
      const reading = jobs.filter((job) => this.#jobs.has(job));
      const scoring = reading.filter((job) => job.scoring);
      const writing = reading.filter((job) => !job.scoring);
      await this.#read(scoring, true);
      await this.#read(writing, false);
    } catch (failure) {
      for (const job of jobs) this.#end(job, failure);
    }
  }

  /** What can be given before anything is read: a prompt without scores, or the first token of one. */
  #echo(job: Job): void {
    const { request } = job;
    if (request.echo && job.echoed === 0) {
      const given = job.scoresPrompt ? 1 : request.prompt.length;
      for (const token of request.prompt.slice(0, given)) this.#give(job, { token, ofPrompt: true });
      job.echoed = given;
    }
    if (request.maxTokens === 0 && (!job.scoresPrompt || job.echoed === request.prompt.length)) this.#complete(job);
  }

  /** Reads the next piece of each text, and adds a token to those that are read to their end. */
  async #read(group: Job[], scoring: boolean): Promise<void> {
    const jobs = group.filter((job) => this.#jobs.has(job));
    if (jobs.length === 0) return;
    const { decoder } = this.model;
    const turns = jobs.map((job) => job.text.turn(this.#settings.promptChunk));
    const values = await numbers(scoring ? decoder.readAll(turns) : decoder.read(turns));
    let row = 0;
    const next = () => values.subarray(row * decoder.vocabulary, ++row * decoder.vocabulary);
    for (const [at, job] of jobs.entries()) {
      const rows = scoring ? turns[at]!.tokens.length : 1;
      for (let i = 0; i < rows - 1; i++) this.#advance(job, next());
      if (scoring || job.text.unread === 0) this.#advance(job, next());
      else next();
    }
  }

  /** Uses the scores that follow a token: of the prompt's next token, or to choose one. */
  #advance(job: Job, logits: Float32Array): void {
    if (!this.#jobs.has(job)) return;
    const { request, text } = job;
    if (job.scoresPrompt && job.echoed < request.prompt.length) {
      const token = request.prompt[job.echoed++]!;
      this.#give(job, { token, ofPrompt: true, ...this.#scores(logits, token, request.alternatives) });
      if (job.echoed === request.prompt.length && request.maxTokens === 0) this.#complete(job);
      return;
    }
    const { vocabulary, endOfText } = this.model.tokenizer.info;
    // Ids beyond the tokenizer's are padding of the matrix: they have no text.
    const token = chooseToken(logits.subarray(0, vocabulary), request.sampling, text.tokens);
    text.tokens.push(token);
    job.made++;
    this.#give(job, { token, ofPrompt: false, ...this.#scores(logits, token, request.alternatives) });
    if (job.made >= request.maxTokens || token === endOfText) this.#complete(job);
  }

  #scores(logits: Float32Array, token: number, alternatives: number | undefined): Partial<GeneratedToken> {
    if (alternatives === undefined) return {};
    return {
      logProbability: logProbability(logits, token),
      alternatives: mostProbable(logits, alternatives, this.model.tokenizer.info.vocabulary),
    };
  }

  #give(job: Job, token: GeneratedToken): void {
    job.ready.push(token);
    job.notify();
  }

  #complete(job: Job): void {
    this.#jobs.delete(job);
    job.finish();
  }
}

async function numbers(logits: ReturnType<Decoder["read"]>): Promise<Float32Array> {
  try {
    return (await logits.data()) as Float32Array;
  } finally {
    logits.dispose();
  }
}
