/**
 * For tests and measurements: a real HTTP server that speaks the OpenAI protocol and tells stories of our own grammar.
 * An answer depends on the prompt and the seed alone. Faults are injected in two ways: some requests always fail in
 * their way (they depend on the seed, such as refusals), others fail once in a while (they depend on the time).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Rng } from "@mm/run";
import { NAME_PROMPT, OPENING_PROMPTS } from "../../sources/babistories/lists.js";
import { GIRLS } from "../../sources/stories/names.js";
import { writeStory } from "../../sources/stories/story.js";

/** Faults of the server and the network: another attempt may succeed. */
export const PASSING_FAULTS = [
  "429",
  "500",
  "503",
  "reset",
  "cut",
  "invalid-json",
  "no-choices",
  "wrong-model",
  "slow",
  "400",
] as const;
/** Faults of the answer: the same request with the same seed gives them again. */
export const LASTING_FAULTS = ["empty", "refusal", "filter", "truncated", "marked", "forbidden"] as const;
export type ServerFault = (typeof PASSING_FAULTS)[number] | (typeof LASTING_FAULTS)[number];

export interface StoryServerSettings {
  /** Milliseconds before each answer. */
  readonly latency?: number;
  /** What each answer waits for. */
  readonly until?: Promise<unknown>;
  /** The share of requests with each fault. */
  readonly faults?: Partial<Record<ServerFault, number>>;
  /** The key that is asked for. */
  readonly key?: string;
  readonly model?: string;
  /** Requests under way beyond which the server answers 429. */
  readonly capacity?: number;
  /** Ignores `n`, as some servers do. */
  readonly singleAnswers?: boolean;
  /** Called with each request, before it is answered. */
  readonly onRequest?: (body: RequestBody, count: number) => void;
}

export interface RequestBody {
  readonly model: string;
  readonly prompt?: string;
  readonly messages?: { role: string; content: string; prefix?: boolean }[];
  readonly seed?: number;
  readonly n?: number;
  readonly max_tokens?: number;
  readonly [field: string]: unknown;
}

export class StoryServer {
  settings: StoryServerSettings;
  /** Chat and completion requests received. */
  requests = 0;
  /** The most that were under way together. */
  peak = 0;
  /** Faults injected. */
  readonly injected: Partial<Record<ServerFault, number>> = {};
  readonly #server: Server;
  readonly #chance = Rng.fromSeed(7);
  #underWay = 0;

  private constructor(settings: StoryServerSettings) {
    this.settings = settings;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(settings: StoryServerSettings = {}): Promise<StoryServer> {
    const server = new StoryServer(settings);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", 2048, resolve));
    return server;
  }

  /** The address of the API. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { key, model = "story-teller" } = this.settings;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      return fail(response, 401, `Incorrect API key provided: ${request.headers.authorization}`, "invalid_api_key");
    }
    if (request.url === "/v1/models")
      return reply(response, { object: "list", data: [{ id: model, object: "model" }] });
    const chat = request.url === "/v1/chat/completions";
    if (!chat && request.url !== "/v1/completions") return fail(response, 404, `no route ${request.url}`, "not_found");
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as RequestBody;
    if (body.model !== model) return fail(response, 404, `The model ${body.model} does not exist`, "model_not_found");
    this.requests++;
    this.settings.onRequest?.(body, this.requests);
    this.#underWay++;
    this.peak = Math.max(this.peak, this.#underWay);
    try {
      if (this.#underWay > (this.settings.capacity ?? Number.POSITIVE_INFINITY)) {
        return this.#passingFault("429", response, body);
      }
      await this.settings.until;
      if (this.settings.latency !== undefined) await sleep(this.settings.latency, undefined, { ref: false });
      const passing = this.#draw(PASSING_FAULTS, this.#chance);
      if (passing !== undefined) return this.#passingFault(passing, response, body);
      reply(response, this.#completion(body, chat));
    } finally {
      this.#underWay--;
    }
  }

  #completion(body: RequestBody, chat: boolean): object {
    const asked = chat ? body.messages![0]!.content : body.prompt!;
    const opening = chat
      ? (body.messages![1]?.content ?? "")
      : asked.includes("[/INST]")
        ? asked.slice(asked.indexOf("[/INST]") + 7).trimStart()
        : "";
    const count = this.settings.singleAnswers ? 1 : (body.n ?? 1);
    const answers = Array.from({ length: count }, (_, index) => {
      const rng = Rng.fromSeed(body.seed ?? 0)
        .fork(asked)
        .fork(index);
      return this.#lastingFault(tell(asked, opening, rng), rng.fork("fault"));
    });
    return {
      id: "completion",
      object: chat ? "chat.completion" : "text_completion",
      model: body.model,
      choices: answers.map(({ text, reason }, index) => ({
        index,
        finish_reason: reason,
        ...(chat ? { message: { role: "assistant", content: text } } : { text }),
      })),
      usage: {
        prompt_tokens: Math.ceil(asked.length / 4),
        completion_tokens: answers.reduce((sum, { text }) => sum + Math.ceil(text.length / 4), 0),
      },
    };
  }

  #lastingFault(text: string, rng: Rng): { text: string; reason: string } {
    const fault = this.#draw(LASTING_FAULTS, rng);
    switch (fault) {
      case "empty":
        return { text: " \n", reason: "stop" };
      case "refusal":
        return { text: " I'm sorry, but I can't write this story.", reason: "stop" };
      case "filter":
        return { text: "", reason: "content_filter" };
      case "truncated":
        return { text: text.slice(0, text.length >> 1), reason: "length" };
      case "marked":
        return { text: `${text}\n\nMoral: be kind.\n\nUser 1: thanks`, reason: "stop" };
      case "forbidden":
        return { text: `${text} See http://example.org for more`, reason: "stop" };
      default:
        return { text, reason: "stop" };
    }
  }

  async #passingFault(fault: ServerFault, response: ServerResponse, body: RequestBody): Promise<void> {
    if (fault === "429") {
      response.setHeader("retry-after-ms", "20");
      return fail(response, 429, "Too many requests", "rate_limit_exceeded");
    }
    if (fault === "400") return fail(response, 400, "Unsupported parameter: seed", "invalid_request_error");
    if (fault === "500" || fault === "503") return fail(response, Number(fault), "The server failed", "server_error");
    if (fault === "invalid-json") {
      response.setHeader("content-type", "application/json");
      return void response.end('{"choices":[{"text":"Once');
    }
    if (fault === "no-choices") return reply(response, { object: "error", choices: [] });
    if (fault === "wrong-model") return reply(response, { model: "another-model", choices: [{ text: "x" }] });
    if (fault === "reset") return void response.socket?.resetAndDestroy();
    const whole = Buffer.from(JSON.stringify(this.#completion(body, false)));
    response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
    response.write(whole.subarray(0, 20));
    if (fault === "cut") return void response.socket?.destroy();
    // One byte at a time, for ever.
    for (let at = 20; !response.destroyed && at < whole.length; at++) {
      await sleep(200, undefined, { ref: false });
      response.write(whole.subarray(at, at + 1));
    }
  }

  #draw<Fault extends ServerFault>(kinds: readonly Fault[], rng: Rng): Fault | undefined {
    const faults = this.settings.faults;
    if (faults === undefined) return undefined;
    let draw = rng.uniform();
    for (const kind of kinds) {
      draw -= faults[kind] ?? 0;
      if (draw >= 0) continue;
      this.injected[kind] = (this.injected[kind] ?? 0) + 1;
      return kind;
    }
    return undefined;
  }
}

/** What goes on after the opening. */
function tell(asked: string, opening: string, rng: Rng): string {
  if (OPENING_PROMPTS.some((prompt) => asked.includes(prompt))) {
    return numbered(20, (index) => `${writeStory(rng.fork(index)).text.split(" ").slice(0, 9).join(" ")}...`);
  }
  if (asked.includes(NAME_PROMPT)) return numbered(100, () => rng.pick(GIRLS));
  const { text } = writeStory(rng);
  return opening === "" ? text : ` ${text.slice(text.indexOf(" ") + 1)}`;
}

function numbered(count: number, entry: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${index + 1}. ${entry(index)}`).join("\n");
}

function reply(response: ServerResponse, value: object): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

function fail(response: ServerResponse, status: number, message: string, code: string): void {
  response.statusCode = status;
  reply(response, { error: { message, type: code, code } });
}
