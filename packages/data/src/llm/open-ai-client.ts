/** One HTTP request of the OpenAI protocol at a time, each ending in answers or in a named fault; retries are the caller's. */
import type { IncomingHttpHeaders } from "node:http";
import { UserError } from "@mm/run";
import type { ApiKey } from "./api-key.js";
import type { CompletionRequest, Usage } from "./completion.js";
import { type EndpointConfig, fillTemplate } from "./endpoint.js";
import { CompletionFault, isRefusal } from "./faults.js";
import { type JsonAnswer, JsonHttp, TooSlow } from "./json-http.js";

/** The answers of one HTTP request. A choice is a text, or the fault that it shows. */
export interface Draw {
  readonly choices: readonly ({ text: string; truncated: boolean } | CompletionFault)[];
  readonly usage: Usage;
}

export interface CompletionClient {
  /**
   * @param answers how many are still wanted
   * @throws CompletionFault
   */
  draw(request: CompletionRequest, seed: number, answers: number, signal?: AbortSignal): Promise<Draw>;
  /** The models that the server offers, for messages; empty when it does not say. */
  models(): Promise<string[]>;
  close(): void;
}

export class OpenAiClient implements CompletionClient {
  readonly #config: EndpointConfig;
  readonly #key: ApiKey | undefined;
  readonly #http: JsonHttp;

  constructor(config: EndpointConfig, key: ApiKey | undefined, timeoutSeconds: number) {
    this.#config = config;
    this.#key = key;
    this.#http = new JsonHttp(timeoutSeconds * 1000);
  }

  async draw(request: CompletionRequest, seed: number, answers: number, signal?: AbortSignal): Promise<Draw> {
    const { model, temperature, topP, maxTokensField, sendSeed, extra } = this.#config;
    const shared = {
      model,
      temperature,
      top_p: topP,
      [maxTokensField]: request.maxTokens,
      ...(sendSeed && { seed }),
      ...(answers > 1 && { n: answers }),
      ...extra,
    };
    const chat = this.#config.api === "chat";
    const asked = chat ? this.#conversation(request) : { prompt: this.#prompt(request) };
    try {
      const body = await this.#ask(chat ? "chat/completions" : "completions", { ...shared, ...asked }, signal);
      return this.#read(body, request);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw this.#explain(error);
    }
  }

  async models(): Promise<string[]> {
    try {
      const { data } = (await this.#ask("models")) as { data: { id: string }[] };
      return data.map(({ id }) => id);
    } catch {
      return [];
    }
  }

  close(): void {
    this.#http.close();
  }

  /** What the server answers, parsed; `path` is relative to the endpoint's address. */
  async #ask(path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    const url = new URL(`${this.#config.url.replace(/\/+$/, "")}/${path}`);
    const answer = await this.#http.send(url, this.#key?.reveal(), body, signal);
    if (answer.status >= 300) throw this.#explainStatus(answer);
    return JSON.parse(answer.text);
  }

  #prompt({ prompt, opening }: CompletionRequest): string {
    return fillTemplate(this.#config.template, prompt, opening);
  }

  #conversation({ prompt, opening }: CompletionRequest): object {
    if (opening === "") return { messages: [{ role: "user", content: prompt }] };
    const { prefill } = this.#config;
    if (prefill === "ask") {
      const content = `${prompt}\n\nBegin the story with exactly these words and go on from there: ${opening}`;
      return { messages: [{ role: "user", content }] };
    }
    const begun = { role: "assistant" as const, content: opening, ...(prefill === "prefix" && { prefix: true }) };
    const messages = [{ role: "user" as const, content: prompt }, begun];
    return { messages, ...(prefill === "continue" && { continue_final_message: true, add_generation_prompt: false }) };
  }

  #read(body: unknown, request: CompletionRequest): Draw {
    const { choices, usage, model } = (body ?? {}) as {
      choices?: unknown;
      usage?: Record<string, unknown>;
      model?: unknown;
    };
    if (typeof body !== "object" || !Array.isArray(choices) || choices.length === 0) {
      throw new CompletionFault("malformed", `the answer holds no choices: ${this.#clip(body)}`);
    }
    if (!this.#accepts(model)) {
      throw new CompletionFault(
        "wrongModel",
        `asked for the model "${this.#config.model}", "${this.#clip(model)}" answered`,
      );
    }
    return {
      choices: choices.map((choice: unknown) => this.#choice(choice, request)),
      usage: { promptTokens: count(usage?.["prompt_tokens"]), completionTokens: count(usage?.["completion_tokens"]) },
    };
  }

  #choice(value: unknown, { opening }: CompletionRequest): Draw["choices"][number] {
    const choice = (value ?? {}) as {
      text?: unknown;
      message?: { content?: unknown; refusal?: unknown };
      finish_reason?: unknown;
    };
    const chat = this.#config.api === "chat";
    const text = chat ? choice.message?.content : choice.text;
    if (chat && typeof choice.message?.refusal === "string" && choice.message.refusal !== "") {
      return new CompletionFault("refusal", "the model refuses");
    }
    if (choice.finish_reason === "content_filter") {
      return new CompletionFault("contentFilter", "a content filter stopped the answer");
    }
    if (text === null || text === undefined || (typeof text === "string" && text.trim() === "")) {
      return new CompletionFault("empty", "the answer is empty");
    }
    if (typeof text !== "string") throw new CompletionFault("malformed", `the answer is no text: ${this.#clip(value)}`);
    const continuation = text.startsWith(opening) ? text.slice(opening.length) : text;
    if (isRefusal(continuation)) return new CompletionFault("refusal", "the model refuses");
    return { text: join(opening, continuation, chat), truncated: choice.finish_reason === "length" };
  }

  /** Servers may answer with a dated form of the name; some leave it out. */
  #accepts(answered: unknown): boolean {
    if (answered === undefined || answered === null || answered === "") return true;
    const { model, acceptModels } = this.#config;
    return typeof answered === "string" && (answered.startsWith(model) || acceptModels.includes(answered));
  }

  #explain(error: unknown): CompletionFault {
    if (error instanceof CompletionFault) return error;
    if (error instanceof UserError) throw error;
    if (error instanceof TooSlow) return new CompletionFault("timeout", error.message);
    if (error instanceof SyntaxError) return new CompletionFault("invalidJson", "the answer is no JSON");
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = this.#clip(code ?? message);
    return new CompletionFault("connection", `the connection to ${this.#config.url} failed (${reason})`);
  }

  #explainStatus({ status, headers, text }: JsonAnswer): CompletionFault {
    const error = errorIn(text);
    const retryAfter = retryAfterOf(headers);
    const message = this.#clip(`${status} ${error.message ?? text}`);
    const code = `${error.code ?? ""} ${error.type ?? ""}`;
    const fault = (kind: CompletionFault["kind"]) => new CompletionFault(kind, message, { status, retryAfter });
    if (/content_filter|content_policy/.test(code)) return fault("contentFilter");
    if (/insufficient_quota|billing/.test(code) || status === 402) return fault("quota");
    if (status === 401 || status === 403) return fault("unauthorized");
    if (status === 404) return fault("unknownModel");
    if (status === 408) return fault("timeout");
    if (status === 429) return fault("rateLimit");
    if (status === 503 || status === 529) return fault("overload");
    if (status >= 500 || status === 409 || status === 425) return fault("serverError");
    if (status >= 300 && status < 400) {
      throw new UserError(`Expected an answer from ${this.#config.url} but it redirects elsewhere (${status}).`, {
        hint: "Give the final address; the key is not sent on to another one.",
      });
    }
    return fault("badRequest");
  }

  /** Text from outside, short and without the key. */
  #clip(value: unknown): string {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
    const safe = this.#key?.redact(text) ?? text;
    return safe.length > 300 ? `${safe.slice(0, 300)}…` : safe;
  }
}

/**
 * A plain completion goes on exactly where the prompt ends. Chat servers strip the blank in front of their answer, so it
 * is put back between two words.
 */
function join(opening: string, continuation: string, chat: boolean): string {
  const blank = chat && opening !== "" && /^[\p{L}\p{N}"“‘']/u.test(continuation) && !/\s$/.test(opening);
  return `${opening}${blank ? " " : ""}${continuation}`;
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : 0;
}

/** `{"error": {…}}`, or the error alone; what is no JSON says nothing. */
function errorIn(text: string): { message?: unknown; code?: unknown; type?: unknown } {
  try {
    const body = JSON.parse(text);
    return body?.error ?? body ?? {};
  } catch {
    return {};
  }
}

/** Milliseconds, from seconds, milliseconds or a date. */
function retryAfterOf(headers: IncomingHttpHeaders, now = Date.now()): number | undefined {
  const exact = Number.parseFloat(String(headers["retry-after-ms"] ?? ""));
  if (exact >= 0) return exact;
  const value = headers["retry-after"] ?? "";
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Number.parseFloat(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
