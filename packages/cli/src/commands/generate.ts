import { readFileSync } from "node:fs";
import { text as readText } from "node:stream/consumers";
import type { Continuation, Engine } from "@mm/serve";
import { Flags } from "@oclif/core";
import { checkWeights, decodingFlags } from "../decoding-flags.js";
import { interruptible } from "../interrupt.js";
import { numberFlag } from "../number-flag.js";
import { TensorCommand } from "../tensor-command.js";

interface Generated {
  prompt: string;
  text: string;
  finish: string;
  tokens: number[];
  logprobs?: { token: string; logprob: number; top: { token: string; logprob: number }[] }[];
}

export default class Generate extends TensorCommand<typeof Generate> {
  static override summary = "Continue a text with a trained model.";
  static override description =
    "The text comes from --prompt, from --prompts (a file with one prompt per line) or from the standard input. A single continuation is shown while it is written; several are written together and shown one after the other.";
  static override examples = [
    '<%= config.bin %> generate --run results/runs/mosaic --prompt "Once upon a time"',
    "<%= config.bin %> generate --run results/runs/mosaic --prompts prompts.txt --n 3 --temperature 0.8 --top-p 0.95 --json",
    "echo Once upon a time | <%= config.bin %> generate --run model.safetensors --temperature 0 --stop '.'",
  ];
  static override flags = {
    run: Flags.string({ char: "r", summary: "Folder of a run, or a .safetensors file.", required: true }),
    dataset: Flags.string({ char: "d", summary: "Dataset whose tokenizer is used (default: the run's own)." }),
    prompt: Flags.string({ char: "p", summary: "Text to continue.", exclusive: ["prompts"] }),
    prompts: Flags.string({ summary: "File with one prompt per line." }),
    tokens: Flags.integer({ char: "t", summary: "Most tokens to add.", default: 200, min: 1 }),
    temperature: numberFlag({ summary: "0: always the most probable token.", default: 1, min: 0 }),
    "top-k": Flags.integer({ summary: "Draw from the k most probable tokens.", min: 1 }),
    "top-p": numberFlag({ summary: "Draw from the most probable tokens of this total probability.", min: 0, max: 1 }),
    "min-p": numberFlag({ summary: "Draw from tokens of this share of the greatest probability.", min: 0, max: 1 }),
    "repetition-penalty": numberFlag({ summary: "Above 1: makes tokens of the text less likely.", min: 0.01 }),
    beams: Flags.integer({ summary: "Search the most probable text with so many beams, instead of drawing.", min: 1 }),
    seed: Flags.integer({ summary: "Seed of the draws.", default: 1, min: 0 }),
    n: Flags.integer({ summary: "Continuations of each prompt.", default: 1, min: 1 }),
    stop: Flags.string({
      summary: "Text that ends a continuation.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    logprobs: Flags.integer({ summary: "Show the probability of each token and of so many others.", min: 0, max: 20 }),
    overflow: Flags.option({
      summary: "Beyond the trained context: crop the text as the authors do (slow), or stream.",
      options: ["crop", "stream"] as const,
      default: "crop",
    })(),
    ...decodingFlags,
  };

  async run() {
    const prompts = await this.#prompts();
    checkWeights(this.flags.weights, await this.useBackend());
    const { openRun } = await import("../open-run.js");
    const { Engine, encodePrompt, serveModel } = await import("@mm/serve");
    const { name, model, tokenizer } = openRun(this.flags.run, this.flags);
    const engine = new Engine(serveModel(name, model, tokenizer, { weights: this.flags.weights }));
    const encoded = prompts.map((prompt) => ({ prompt, ids: encodePrompt(tokenizer, prompt) }));
    return interruptible(
      () => this.reporter.line("stopping"),
      (signal) =>
        this.flags.beams === undefined ? this.#draw(engine, encoded, signal) : this.#search(engine, encoded),
    );
  }

  async #prompts(): Promise<string[]> {
    const { explainFileError, UserError } = await import("@mm/run");
    const { prompt, prompts } = this.flags;
    if (prompt !== undefined) return [prompt];
    if (prompts === undefined) return [(await readText(process.stdin)).replace(/\n$/, "")];
    try {
      const lines = readFileSync(prompts, "utf8").split("\n");
      const found = lines.filter((line) => line.trim() !== "");
      if (found.length === 0) throw new UserError(`Expected a prompt per line in ${prompts} but found none.`);
      return found;
    } catch (error) {
      throw explainFileError(error, prompts);
    }
  }

  /** All continuations at once; a single one streams. */
  async #draw(engine: Engine, prompts: { prompt: string; ids: number[] }[], signal: AbortSignal): Promise<Generated[]> {
    const { continueText } = await import("@mm/serve");
    const { Rng } = await import("@mm/run");
    const { flags } = this;
    const rng = Rng.fromSeed(flags.seed);
    const alone = prompts.length === 1 && flags.n === 1 && flags.logprobs === undefined && !this.jsonEnabled();
    const work = prompts.flatMap(({ prompt, ids }, i) =>
      Array.from({ length: flags.n }, async (_, choice) => {
        const request = {
          prompt: ids,
          maxTokens: flags.tokens,
          alternatives: flags.logprobs,
          overflow: flags.overflow,
          sampling: {
            temperature: flags.temperature,
            topK: flags["top-k"],
            topP: flags["top-p"],
            minP: flags["min-p"],
            repetitionPenalty: flags["repetition-penalty"],
            rng: rng.fork(i).fork(choice),
          },
        };
        const pieces: Continuation[] = [];
        if (alone) process.stdout.write(prompt);
        for await (const piece of continueText(engine, request, flags.stop, signal)) {
          pieces.push(piece);
          if (alone) process.stdout.write(piece.text);
        }
        if (alone) process.stdout.write("\n");
        return this.#result(engine, prompt, pieces);
      }),
    );
    const results = await Promise.all(work);
    if (!alone) for (const result of results) this.#show(result);
    return results;
  }

  #result(engine: Engine, prompt: string, pieces: readonly Continuation[]): Generated {
    const { tokenizer } = engine.model;
    const named = (token: number, logprob: number) => ({ token: tokenizer.decode([token]), logprob });
    const tokens = pieces.flatMap(({ token }) => (token === undefined ? [] : [token]));
    return {
      prompt,
      text: pieces.map(({ text }) => text).join(""),
      finish: pieces.at(-1)?.finish ?? "length",
      tokens: tokens.map(({ token }) => token),
      ...(this.flags.logprobs !== undefined && {
        logprobs: tokens.map(({ token, logProbability = Number.NaN, alternatives = [] }) => ({
          ...named(token, logProbability),
          top: alternatives.map((other) => named(other.token, other.logProbability)),
        })),
      }),
    };
  }

  #show({ prompt, text, logprobs }: Generated): void {
    this.log(`${prompt}${text}\n`);
    for (const { token, logprob, top } of logprobs ?? []) {
      const share = (value: number) => `${(100 * Math.exp(value)).toFixed(1)} %`;
      const others = top.map((other) => `${JSON.stringify(other.token)} ${share(other.logprob)}`).join("  ");
      this.log(`${JSON.stringify(token).padEnd(20)} ${share(logprob).padStart(7)}   ${others}`);
    }
  }

  async #search(engine: Engine, prompts: { prompt: string; ids: number[] }[]): Promise<Generated[]> {
    const { beamSearch } = await import("@mm/models");
    const { decoder, tokenizer } = engine.model;
    const { beams, tokens: count, overflow, n } = this.flags;
    const endOfText = tokenizer.info.endOfText ?? undefined;
    const results: Generated[] = [];
    for (const { prompt, ids } of prompts) {
      const vocabulary = tokenizer.info.vocabulary;
      const found = await beamSearch(decoder, ids, {
        beams: Math.max(beams!, n),
        count,
        endOfText,
        overflow,
        vocabulary,
      });
      for (const { tokens, ended } of found.slice(0, n)) {
        const text = tokenizer.decode(ended ? tokens.slice(0, -1) : tokens);
        results.push({ prompt, text, tokens, finish: ended ? "stop" : "length" });
      }
    }
    for (const result of results) this.#show(result);
    return results;
  }
}
