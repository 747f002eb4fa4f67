import { afterEach, describe, expect, it } from "@jest/globals";
import { ApiKey } from "./api-key.js";
import { CompletionRunner, PutOff } from "./completion-runner.js";
import type { EndpointConfig, LimitsConfig } from "./endpoint.js";
import { CompletionFault } from "./faults.js";
import { OpenAiClient } from "./open-ai-client.js";
import { endpointAt, quickLimits, request } from "./testing/requests.js";
import { type RequestBody, StoryServer, type StoryServerSettings } from "./testing/story-server.js";

let server: StoryServer;
let client: OpenAiClient;
afterEach(async () => {
  client.close();
  await server.stop();
});

interface Setup {
  server?: StoryServerSettings;
  endpoint?: Partial<EndpointConfig>;
  limits?: Partial<LimitsConfig>;
  key?: ApiKey;
}

async function start(setup: Setup = {}): Promise<CompletionRunner> {
  server = await StoryServer.start(setup.server);
  const limits = quickLimits(setup.limits);
  const endpoint = endpointAt(server.url, setup.endpoint);
  client = new OpenAiClient(endpoint, setup.key, limits.timeoutSeconds);
  return new CompletionRunner(client, endpoint, limits);
}

describe("asking a server", () => {
  it("continues the opening by a template, the same way for the same seed", async () => {
    let body: RequestBody | undefined;
    const runner = await start({ server: { onRequest: (received) => (body = received) } });
    const first = await runner.run(request(1));
    expect(first.texts[0]).toMatch(/^Once upon a time /);
    expect(body).toMatchObject({
      prompt: "[INST] Write story number 1. [/INST] Once upon a time",
      max_tokens: 512,
      temperature: 1,
      seed: 1001,
    });
    expect(first).toMatchObject({ id: 1, requests: 1, truncated: [], faults: {} });
    expect(first.usage.completionTokens).toBeGreaterThan(20);
    expect(await runner.run(request(1))).toEqual(first);
    expect((await runner.run(request(1, { seed: 7 }))).texts).not.toEqual(first.texts);
  });

  it.each([
    ["continue", { continue_final_message: true, add_generation_prompt: false }],
    ["prefix", { messages: [{ role: "user" }, { role: "assistant", content: "Once upon a time", prefix: true }] }],
    ["assistant", { messages: [{ role: "user" }, { role: "assistant", content: "Once upon a time" }] }],
    ["ask", { messages: [{ role: "user", content: expect.stringContaining("Once upon a time") }] }],
  ] as const)("gives a chat its opening (%s)", async (prefill, expected) => {
    let body: RequestBody | undefined;
    const runner = await start({
      endpoint: { api: "chat", prefill },
      server: { onRequest: (received) => (body = received) },
    });
    const { texts } = await runner.run(request(1));
    expect(texts[0]).toMatch(/^Once upon a time \S/);
    expect(body).toMatchObject(expected);
  });

  it.each([false, true])("gets several answers to one prompt (server ignores n: %s)", async (singleAnswers) => {
    const runner = await start({ server: { singleAnswers } });
    const { texts, requests } = await runner.run(request(1, { answers: 3 }));
    expect(new Set(texts).size).toBe(3);
    expect(requests).toBe(singleAnswers ? 3 : 1);
  });

  it.each([
    ["429", "rateLimit"],
    ["500", "serverError"],
    ["503", "overload"],
    ["reset", "connection"],
    ["cut", "connection"],
    ["invalid-json", "invalidJson"],
    ["no-choices", "malformed"],
    ["wrong-model", "wrongModel"],
    ["slow", "timeout"],
  ] as const)("asks again after %s", async (fault, kind) => {
    const runner = await start({
      limits: { timeoutSeconds: fault === "slow" ? 2 : 60 },
      server: {
        faults: { [fault]: 1 },
        onRequest: (_, count) => {
          if (count === 3) server.settings = {};
        },
      },
    });
    const { texts, faults, requests } = await runner.run(request(1));
    expect(texts).toHaveLength(1);
    expect(faults).toEqual({ [kind]: 2 });
    expect(requests).toBe(3);
  });

  it.each([
    ["empty", "empty"],
    ["refusal", "refusal"],
    ["filter", "contentFilter"],
  ] as const)("draws again when the answer is of no use (%s), and gives up at last", async (fault, kind) => {
    const runner = await start({ limits: { draws: 3 }, server: { faults: { [fault]: 1 } } });
    expect(await runner.run(request(1))).toMatchObject({ texts: [], requests: 3, faults: { [kind]: 3 } });
    server.settings = { faults: { [fault]: 0.5 } };
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, id) => runner.run(request(id))));
    expect(outcomes.filter(({ texts }) => texts.length === 1).length).toBeGreaterThan(10);
    expect(await Promise.all(Array.from({ length: 20 }, (_, id) => runner.run(request(id))))).toEqual(outcomes);
  });

  it("keeps answers cut at the token limit and says so", async () => {
    const runner = await start({ server: { faults: { truncated: 1 } } });
    expect(await runner.run(request(1))).toMatchObject({ truncated: [0], faults: { truncated: 1 } });
  });

  it("puts a request off when it fails each time", async () => {
    const runner = await start({ limits: { attempts: 3 }, server: { faults: { "500": 1 } } });
    const error = await runner.run(request(1)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(PutOff);
    expect(error).toMatchObject({ requests: 3, faults: { serverError: 3 } });
  });

  it("gives up a rejected request only when the server takes others: before, the settings may be wrong", async () => {
    const runner = await start({ server: { faults: { "400": 1 } } });
    for (let id = 0; id < 4; id++) await expect(runner.run(request(id))).rejects.toBeInstanceOf(PutOff);
    await expect(runner.run(request(4))).rejects.toThrow(/rejects them: 400 Unsupported parameter: seed/);
    server.settings = {};
    await runner.run(request(0));
    server.settings = { faults: { "400": 1 } };
    expect(await runner.run(request(1))).toMatchObject({ texts: [], requests: 1, faults: { badRequest: 1 } });
  });

  it("stops for a model that the server does not have, and names those that it has", async () => {
    const runner = await start({ endpoint: { model: "story-teler" } });
    await expect(runner.run(request(1))).rejects.toThrow(
      /Expected the model "story-teler" .* The server offers: story-teller/,
    );
    expect(server.requests).toBe(0);
  });

  it("stops when another model answers each time", async () => {
    const runner = await start({ server: { faults: { "wrong-model": 1 } } });
    await expect(runner.run(request(1))).rejects.toThrow(
      /asked for the model "story-teller", "another-model" answered/,
    );
  });

  it("stops for a wrong key without telling it, although the server repeats it", async () => {
    const runner = await start({ key: new ApiKey("sk-very-secret"), server: { key: "another" } });
    const error = (await runner.run(request(1)).catch((error: unknown) => error)) as Error;
    expect(error.message).toMatch(/Incorrect API key provided: Bearer \[key hidden\]/);
    expect(JSON.stringify([error, { ...error }, String(error), error.stack])).not.toContain("sk-very-secret");
  });

  it("asks a dead server one request at a time, and stops when patience ends", async () => {
    const runner = await start({
      limits: { breakAfter: 5, attempts: 100, patienceSeconds: 0.3, inFlight: 4 },
      server: { faults: { reset: 1 } },
    });
    const errors = await Promise.all([1, 2, 3, 4].map((id) => runner.run(request(id)).catch((error: Error) => error)));
    for (const error of errors)
      expect(error).toHaveProperty("message", expect.stringContaining("for 0.3 s there was none"));
    // Without the breaker it would be a hundred and more.
    expect(server.requests).toBeLessThan(40);
  });

  it("goes on by itself when the server is back", async () => {
    const runner = await start({
      limits: { breakAfter: 3, attempts: 100 },
      server: {
        faults: { "500": 1 },
        onRequest: (_, count) => {
          if (count === 12) server.settings = {};
        },
      },
    });
    const outcomes = await Promise.all(Array.from({ length: 10 }, (_, id) => runner.run(request(id))));
    expect(outcomes.every(({ texts }) => texts.length === 1)).toBe(true);
  });

  it("finds the number of requests that the server bears", async () => {
    // Slow enough that requests meet in the server even where the client is slow.
    const runner = await start({ limits: { inFlight: 64, attempts: 100 }, server: { capacity: 8, latency: 200 } });
    await Promise.all(Array.from({ length: 150 }, (_, id) => runner.run(request(id))));
    expect(runner.slots.limit).toBeLessThan(24);
    expect(server.injected["429"] ?? 0).toBe(0);
    expect(server.requests).toBeLessThan(300);
  });

  it("ends at once when interrupted", async () => {
    const runner = await start({ server: { latency: 60_000 }, limits: { timeoutSeconds: 60 } });
    const stop = new AbortController();
    const started = performance.now();
    const running = runner.run(request(1), stop.signal).catch((error: unknown) => error);
    setTimeout(() => stop.abort(), 50);
    expect(await running).not.toBeInstanceOf(CompletionFault);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
