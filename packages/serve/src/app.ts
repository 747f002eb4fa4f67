/** The HTTP interface: routes, limits, and answers whole or as server-sent events. */
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Overflow } from "@mm/models";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { z } from "zod";
import { limitRate, requireJson, requireKey, requireLoopbackName } from "./access.js";
import { ApiError } from "./api-error.js";
import { ChatWriter, chatChoices } from "./chat.js";
import type { Choice } from "./choices.js";
import { CompletionWriter, completionChoices } from "./completions.js";
import { type Continuation, continueText } from "./continuation.js";
import type { Engine } from "./engine.js";
import { type Limits, RateLimiter } from "./limits.js";
import { Metrics } from "./metrics.js";
import { ChatBody, CompletionBody } from "./requests.js";

export interface AppSettings {
  limits: Limits;
  overflow: Overflow;
  apiKey?: string | undefined;
  onLoopback: boolean;
  mounts?: Mounts | undefined;
}

/** What else answers, below a path such as `/view`. */
export type Mounts = Readonly<Record<string, (request: Request) => Promise<Response>>>;

/** One choice as it is asked for and as it is written down. */
interface Writing {
  choice: Choice;
  opening?(): object;
  piece(piece: Continuation): object;
  whole(pieces: readonly Continuation[]): object;
}

interface Answer {
  id: string;
  object: string;
  streamObject: string;
  stops: readonly string[];
  writings: readonly Writing[];
  stream: boolean;
  usage: boolean;
}

export function createApp(engine: Engine, { limits, overflow, apiKey, onLoopback, mounts = {} }: AppSettings) {
  const { model } = engine;
  const metrics = new Metrics();
  const app = new Hono();
  let draining = false;
  let active = 0;

  app.use(async (context, next) => {
    const started = performance.now();
    await next();
    const { path } = context.req;
    metrics.countRequest(METHODS.has(path) ? path : "other", context.res.status);
    if (!context.res.headers.get("content-type")?.startsWith("text/event-stream"))
      metrics.duration.observe((performance.now() - started) / 1000);
  });
  app.use(requireLoopbackName(onLoopback));

  app.get("/health", (context) => {
    const status = draining ? "stopping" : "ok";
    return context.json({ status, model: model.name, active: engine.load }, draining ? 503 : 200);
  });
  app.use("/metrics", requireKey(apiKey));
  app.get("/metrics", (context) =>
    context.text(metrics.text(engine.load), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );

  app.use("/v1/*", requireKey(apiKey), limitRate(new RateLimiter(limits.requestsPerMinute)));
  const card = {
    id: model.name,
    object: "model",
    created: Math.floor(model.created.getTime() / 1000),
    owned_by: "mm",
    context_length: model.decoder.contextLength,
  };
  app.get("/v1/models", (context) => context.json({ object: "list", data: [card] }));
  app.get("/v1/models/:name{.+}", (context) => {
    expectModel(context.req.param("name"));
    return context.json(card);
  });

  app.on("POST", ["/v1/completions", "/v1/chat/completions"], requireJson);
  app.post("/v1/completions", async (context) => {
    const body = await parseBody(context, CompletionBody, limits.bodyBytes);
    expectModel(body.model);
    const { choices, stops } = completionChoices(engine, body, limits, overflow);
    const writings = choices.map((choice) => {
      const writer = new CompletionWriter(engine, body, choice);
      return {
        choice,
        piece: (piece: Continuation) => writer.piece(piece),
        whole: (pieces: readonly Continuation[]) => writer.whole(pieces),
      };
    });
    return respond(context, {
      id: `cmpl-${randomUUID()}`,
      object: "text_completion",
      streamObject: "text_completion",
      stops,
      writings,
      stream: body.stream === true,
      usage: body.stream_options?.include_usage === true,
    });
  });
  app.post("/v1/chat/completions", async (context) => {
    const body = await parseBody(context, ChatBody, limits.bodyBytes);
    expectModel(body.model);
    const { choices, stops } = chatChoices(engine, body, limits, overflow);
    const writings = choices.map((choice) => {
      const writer = new ChatWriter(engine, body, choice.index);
      return {
        choice,
        opening: () => writer.opening(),
        piece: (piece: Continuation) => writer.piece(piece),
        whole: (pieces: readonly Continuation[]) => writer.whole(pieces),
      };
    });
    return respond(context, {
      id: `chatcmpl-${randomUUID()}`,
      object: "chat.completion",
      streamObject: "chat.completion.chunk",
      stops,
      writings,
      stream: body.stream === true,
      usage: body.stream_options?.include_usage === true,
    });
  });

  for (const [path, answer] of Object.entries(mounts)) {
    app.use(`${path}/*`, requireKey(apiKey));
    app.get(path, (context) => context.redirect(`${path}/`));
    app.all(`${path}/*`, (context) => answer(context.req.raw));
  }

  app.notFound((context) => {
    const { method, path } = context.req;
    const allowed = METHODS.get(path);
    if (allowed === undefined) return context.json(new ApiError(404, `There is nothing at ${path}.`).body, 404);
    context.header("allow", allowed);
    return context.json(new ApiError(405, `Expected ${allowed} at ${path}, found ${method}.`).body, 405);
  });
  app.onError((error, context) => {
    if (error instanceof ApiError) {
      const { retryAfter } = error.options;
      if (retryAfter !== undefined) context.header("retry-after", String(retryAfter));
      // Where the rest of the body is not read, the connection cannot be used again.
      if (error.status === 413) context.header("connection", "close");
      return context.json(error.body, error.status);
    }
    if (context.req.raw.signal.aborted) return context.body(null, 499 as 400); // nobody listens any more
    process.stderr.write(`mm serve: ${error.stack ?? error.message}\n`);
    return context.json(new ApiError(500, "The server failed to answer; its log says why.").body, 500);
  });

  function expectModel(name: string | undefined): void {
    if (name !== undefined && name !== model.name)
      throw new ApiError(404, `Expected the model ${model.name}, found ${name}.`, {
        code: "model_not_found",
        param: "model",
      });
  }

  async function respond(context: Context, answer: Answer): Promise<Response> {
    if (draining) throw new ApiError(503, "The server is stopping.", { retryAfter: 10 });
    if (active + answer.writings.length > limits.concurrent)
      throw new ApiError(429, "The server is busy.", { code: "overloaded", retryAfter: 1 });
    return answer.stream ? streamed(context, answer) : whole(context, answer);
  }

  /** The pieces of a choice, counted. */
  async function* written({ choice }: Writing, stops: readonly string[], signal: AbortSignal) {
    const started = performance.now();
    let tokens = 0;
    metrics.promptTokens += choice.prompt.length;
    for await (const piece of continueText(engine, choice.request, stops, signal)) {
      if (piece.token?.ofPrompt === false || (piece.token === undefined && piece.finish === "stop")) {
        if (tokens++ === 0) metrics.firstToken.observe((performance.now() - started) / 1000);
        metrics.generatedTokens++;
      }
      yield { piece, tokens };
    }
  }

  function usageOf(writings: readonly Writing[], completion: number) {
    const prompts = new Set(writings.map(({ choice }) => choice.prompt));
    const prompt = [...prompts].reduce((sum, ids) => sum + ids.length, 0);
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  }

  async function whole(context: Context, { id, object, stops, writings }: Answer): Promise<Response> {
    active += writings.length;
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, context.req.raw.signal]);
    let completion = 0;
    try {
      const choices = await Promise.all(
        writings.map(async (writing) => {
          const pieces: Continuation[] = [];
          let made = 0;
          for await (const { piece, tokens } of written(writing, stops, signal)) {
            pieces.push(piece);
            made = tokens;
          }
          completion += made;
          return writing.whole(pieces);
        }),
      );
      return context.json({
        id,
        object,
        created: now(),
        model: model.name,
        choices,
        usage: usageOf(writings, completion),
      });
    } finally {
      controller.abort();
      active -= writings.length;
    }
  }

  function streamed(context: Context, { id, streamObject: object, stops, writings, usage }: Answer): Response {
    active += writings.length;
    const started = performance.now();
    const created = now();
    return streamSSE(context, async (stream) => {
      const controller = new AbortController();
      stream.onAbort(() => controller.abort());
      const send = (fields: object) =>
        stream.writeSSE({ data: JSON.stringify({ id, object, created, model: model.name, ...fields }) });
      const extra = usage ? { usage: null } : {};
      let completion = 0;
      try {
        await Promise.all(
          writings.map(async (writing) => {
            if (writing.opening) await send({ choices: [writing.opening()], ...extra });
            let made = 0;
            for await (const { piece, tokens } of written(writing, stops, controller.signal)) {
              made = tokens;
              if (piece.text !== "" || piece.finish || piece.token?.logProbability !== undefined)
                await send({ choices: [writing.piece(piece)], ...extra });
            }
            completion += made;
          }),
        );
        if (usage) await send({ choices: [], usage: usageOf(writings, completion) });
        await stream.writeSSE({ data: "[DONE]" });
      } catch (error) {
        if (controller.signal.aborted) return;
        process.stderr.write(`mm serve: ${(error as Error).stack}\n`);
        const { body } = new ApiError(500, "The server failed while it wrote this text; its log says why.");
        await stream.writeSSE({ data: JSON.stringify(body) });
      } finally {
        controller.abort();
        active -= writings.length;
        metrics.duration.observe((performance.now() - started) / 1000);
      }
    });
  }

  return {
    app,
    /** Answers no further requests to write. */
    drain(): void {
      draining = true;
    },
    /** Choices being answered. */
    get active(): number {
      return active;
    },
  };
}

/** The one method of each path that is counted by its own name. */
const METHODS = new Map([
  ["/v1/completions", "POST"],
  ["/v1/chat/completions", "POST"],
  ["/v1/models", "GET"],
  ["/health", "GET"],
]);

const now = () => Math.floor(Date.now() / 1000);

/** @throws ApiError when it has more than `limit` bytes */
async function readBody({ body }: Request, limit: number): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(pieces).toString();
    bytes += value.length;
    pieces.push(value);
    if (bytes <= limit) continue;
    await Promise.race([discard(reader, 8 * limit), setTimeout(1000, undefined, { ref: false })]);
    throw new ApiError(413, `Expected a body of at most ${limit} bytes.`);
  }
}

/** Reads what follows, up to so many bytes: a client that cannot send all of its body may not read the answer. */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>, most: number): Promise<void> {
  try {
    for (let bytes = 0; bytes < most; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.length;
    }
  } catch {
    // The connection is gone, and its request with it.
  }
}

async function parseBody<Schema extends z.ZodType>(
  context: Context,
  schema: Schema,
  limit: number,
): Promise<z.output<Schema>> {
  const text = await readBody(context.req.raw, limit);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ApiError(400, "Expected a body of JSON.");
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const param = issue.path.join(".");
  throw new ApiError(400, `${param === "" ? "The body" : param}: ${issue.message}`, { param });
}
