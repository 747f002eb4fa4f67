/**
 * Takes a request to its outcome: repeats what fails for reasons of the server, draws again what comes back empty or
 * refused, and keeps the number of requests under way at what the server bears.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "@mm/run";
import { AdaptiveSlots } from "./adaptive-slots.js";
import { backoff } from "./backoff.js";
import { CircuitBreaker } from "./circuit-breaker.js";
import type { CompletionRequest, FaultCounts, Outcome } from "./completion.js";
import type { EndpointConfig, LimitsConfig } from "./endpoint.js";
import { CompletionFault } from "./faults.js";
import type { CompletionClient, Draw } from "./open-ai-client.js";

/** A request that failed for now; it can be asked again later. */
export class PutOff extends Error {
  override readonly name = "PutOff";
  readonly requests: number;
  readonly faults: FaultCounts;

  constructor(message: string, requests: number, faults: FaultCounts) {
    super(message);
    this.requests = requests;
    this.faults = faults;
  }
}

/** Draws of the same request use seeds that are far apart: a step by the golden ratio. */
const SEED_STEP = 0x9e3779b9;
/** So many rejected requests or answers of another model, and not one success, mean that the settings are wrong. */
const HOPELESS_STREAK = 5;

export class CompletionRunner {
  readonly #client: CompletionClient;
  readonly #endpoint: EndpointConfig;
  readonly #limits: LimitsConfig;
  readonly #breaker: CircuitBreaker;
  readonly slots: AdaptiveSlots;
  /** Rejected requests and answers of another model since the last success. */
  #streak = 0;
  #answered = false;

  constructor(client: CompletionClient, endpoint: EndpointConfig, limits: LimitsConfig) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#limits = limits;
    this.slots = new AdaptiveSlots({ max: limits.inFlight });
    this.#breaker = new CircuitBreaker({
      breakAfter: limits.breakAfter,
      firstWait: limits.backoffSeconds * 1000,
      maxWait: limits.maxBackoffSeconds * 1000,
      patience: limits.patienceSeconds * 1000,
    });
  }

  /**
   * @throws PutOff when all attempts failed, UserError when no request can succeed, the signal's reason when aborted
   */
  async run(request: CompletionRequest, signal?: AbortSignal): Promise<Outcome> {
    const outcome = {
      id: request.id,
      texts: [] as string[],
      truncated: [] as number[],
      requests: 0,
      faults: {} as FaultCounts,
    };
    const usage = { promptTokens: 0, completionTokens: 0 };
    // A server may give fewer answers than asked for (some ignore `n`), and any of them may be useless.
    const draws = this.#limits.draws + request.answers - 1;
    for (let draw = 0; draw < draws && outcome.texts.length < request.answers; draw++) {
      const seed = (request.seed + draw * SEED_STEP) >>> 0;
      const wanted = request.answers - outcome.texts.length;
      const result = await this.#repeat(request, seed, wanted, outcome, signal);
      if (result === "skip") break;
      if (result === "redraw") continue;
      usage.promptTokens += result.usage.promptTokens;
      usage.completionTokens += result.usage.completionTokens;
      for (const choice of result.choices.slice(0, wanted)) {
        if (choice instanceof CompletionFault) countFault(outcome.faults, choice);
        else {
          if (choice.truncated) outcome.truncated.push(outcome.texts.length);
          outcome.texts.push(choice.text);
        }
      }
    }
    if (outcome.truncated.length > 0) outcome.faults.truncated = outcome.truncated.length;
    return { ...outcome, usage };
  }

  /** Asks until there is an answer, or a fault that asking again does not mend. */
  async #repeat(
    request: CompletionRequest,
    seed: number,
    answers: number,
    outcome: { requests: number; faults: FaultCounts },
    signal: AbortSignal | undefined,
  ): Promise<Draw | "redraw" | "skip"> {
    for (let failures = 0; ; ) {
      signal?.throwIfAborted();
      const result = await this.#attempt(request, seed, answers, signal);
      outcome.requests++;
      if (!(result instanceof CompletionFault)) return result;
      countFault(outcome.faults, result);
      if (result.remedy === "stop") throw await this.#explain(result);
      this.#noteStreak(result);
      if (result.remedy === "redraw") return "redraw";
      // Until the server has answered anything, the settings may be what it rejects: then no request is given up.
      if (result.remedy === "skip" && this.#answered) return "skip";
      failures++;
      if (this.#breaker.hopeless) throw this.#unreachable(result);
      if (result.remedy === "skip" || failures >= this.#limits.attempts)
        throw new PutOff(result.message, outcome.requests, outcome.faults);
      const { backoffSeconds, maxBackoffSeconds } = this.#limits;
      const wait = { first: backoffSeconds * 1000, max: maxBackoffSeconds * 1000 };
      await sleep(backoff(wait, failures - 1, result.retryAfter), undefined, signal === undefined ? {} : { signal });
    }
  }

  /** One HTTP request in a slot. */
  async #attempt(
    request: CompletionRequest,
    seed: number,
    answers: number,
    signal: AbortSignal | undefined,
  ): Promise<Draw | CompletionFault> {
    await this.slots.acquire();
    try {
      await this.#breaker.pass(signal);
      const started = performance.now();
      try {
        const draw = await this.#client.draw(request, seed, answers, signal);
        this.slots.succeeded(performance.now() - started);
        this.#breaker.succeeded();
        this.#streak = 0;
        this.#answered = true;
        return draw;
      } catch (error) {
        if (!(error instanceof CompletionFault)) {
          this.#breaker.abandoned();
          throw error;
        }
        if (error.kind === "rateLimit" || error.kind === "overload") this.slots.overloaded(started);
        // A server that turns requests down in words is alive.
        if (error.remedy === "again" && error.kind !== "rateLimit") this.#breaker.failed();
        else this.#breaker.succeeded();
        return error;
      }
    } finally {
      this.slots.release();
    }
  }

  /** @throws UserError when nothing but rejections came so far: then it is not the single request */
  #noteStreak(fault: CompletionFault): void {
    if (fault.kind !== "badRequest" && fault.kind !== "wrongModel") return;
    if (++this.#streak < HOPELESS_STREAK) return;
    if (fault.kind === "wrongModel") {
      throw new UserError(`Expected answers by the model that was asked for, but: ${fault.message}.`, {
        hint: "Ask for the other one with --model, or allow its name with --set endpoint.acceptModels='[NAME]'.",
      });
    }
    throw new UserError(`Expected the server to take the requests but it rejects them: ${fault.message}.`, {
      hint: "Check the settings of the endpoint: api, prefill, maxTokensField, sendSeed, extra.",
    });
  }

  async #explain(fault: CompletionFault): Promise<UserError> {
    const { url, model } = this.#endpoint;
    switch (fault.kind) {
      case "unauthorized":
        return new UserError(`Expected ${url} to accept the key but it does not: ${fault.message}.`, {
          hint: "Set the key in the environment (MM_API_KEY, or name the variable with --key-env), or give --key-file.",
        });
      case "quota":
        return new UserError(`Expected credit at ${url} but it is used up: ${fault.message}.`, {
          hint: "What is written is kept; run the same command again later.",
        });
      default: {
        const models = await this.#client.models();
        const known = models.length === 0 ? "" : ` The server offers: ${models.slice(0, 20).join(", ")}.`;
        return new UserError(`Expected the model "${model}" at ${url} but found none: ${fault.message}.${known}`, {
          hint: "Name one with --model; the address usually ends in /v1.",
        });
      }
    }
  }

  #unreachable(fault: CompletionFault): UserError {
    const { patienceSeconds } = this.#limits;
    return new UserError(
      `Expected answers from ${this.#endpoint.url} but for ${patienceSeconds} s there was none; last: ${fault.message}.`,
      { hint: "What is written is kept; run the same command again when the server is back." },
    );
  }
}

function countFault(faults: FaultCounts, { kind }: CompletionFault): void {
  faults[kind] = (faults[kind] ?? 0) + 1;
}
