import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { logProbability } from "@mm/models";
import { selectBackend } from "@mm/ops";
import OpenAI from "openai";
import { byteTokenizer } from "./testing/byte-tokenizer.js";
import { type ServerProcess, startServerProcess } from "./testing/server-process.js";
import { servedTinyModel } from "./testing/tiny-model.js";

let server: ServerProcess;
let client: OpenAI;

const clientOf = ({ url }: ServerProcess, apiKey = "none") =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 600_000 });

beforeAll(async () => {
  server = await startServerProcess();
  client = clientOf(server);
});

const fixed = { model: "tiny", seed: 5 } as const;

/** The server gets idle, and holds no state of any text. */
async function expectIdle({ url, openStates }: ServerProcess): Promise<void> {
  for (let attempt = 0; attempt < 2000; attempt++) {
    const { active } = (await (await fetch(`${url}/health`)).json()) as { active: number };
    if (active === 0 && (await openStates()) === 0) return;
    await pause(50);
  }
  const health = await (await fetch(`${url}/health`)).text();
  throw new Error(`the server still works on texts that nobody reads: ${health}, ${await openStates()} states`);
}

describe("completions", () => {
  it("are answered by the one model, the same for the same seed, with their usage", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["tiny"]);
    expect((await client.models.retrieve("tiny")).object).toBe("model");
    const ask = (seed: number) => client.completions.create({ ...fixed, seed, prompt: "abc", max_tokens: 10, n: 2 });
    const [one, again, other] = await Promise.all([ask(1), ask(1), ask(2)]);
    expect(one.choices.map(({ text }) => text)).toEqual(again.choices.map(({ text }) => text));
    expect(one.choices.map(({ text }) => text)).not.toEqual(other.choices.map(({ text }) => text));
    expect(one.choices[0]!.text).not.toBe(one.choices[1]!.text);
    expect(one.usage).toEqual({ prompt_tokens: 3, completion_tokens: 20, total_tokens: 23 });
    expect(one.choices.map(({ index, finish_reason }) => [index, finish_reason])).toEqual([
      [0, "length"],
      [1, "length"],
    ]);
  });

  it("stream the same text as they give whole", async () => {
    const request = { ...fixed, prompt: "The fox", max_tokens: 60, temperature: 0.9 };
    const whole = await client.completions.create(request);
    const stream = await client.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let finish: string | null = null;
    let usage: unknown;
    for await (const part of stream) {
      text += part.choices[0]?.text ?? "";
      finish = part.choices[0]?.finish_reason ?? finish;
      usage = part.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0]!.text);
    expect(finish).toBe(whole.choices[0]!.finish_reason);
    expect(usage).toEqual(whole.usage);
  });

  it("end before a stop string", async () => {
    const request = { ...fixed, prompt: "abc", max_tokens: 40, temperature: 0 };
    const whole = (await client.completions.create(request)).choices[0]!.text;
    const stop = whole.slice(5, 7);
    const { text, finish_reason } = (await client.completions.create({ ...request, stop })).choices[0]!;
    expect([text, finish_reason]).toEqual([whole.slice(0, whole.indexOf(stop)), "stop"]);
  });

  it.each([0, 1])("score a prompt as an evaluation harness asks (max_tokens %i)", async (max_tokens) => {
    await selectBackend("wasm");
    const prompts = ["Hello world", "é"].map((text) => [...byteTokenizer.encode(text)]);
    const answer = await client.completions.create({
      ...{ ...fixed, prompt: prompts, max_tokens, temperature: 0, echo: true, logprobs: 2 },
    });
    const { decoder } = servedTinyModel();
    for (const [i, prompt] of prompts.entries()) {
      const logits = decoder.readAll([{ state: decoder.begin(), tokens: prompt }]);
      const rows = (await logits.array()) as number[][];
      const { logprobs, text } = answer.choices[i]!;
      expect(text.startsWith(byteTokenizer.decode(prompt))).toBe(true);
      expect(logprobs!.tokens).toHaveLength(prompt.length + max_tokens);
      expect(logprobs!.token_logprobs![0]).toBeNull();
      expect(logprobs!.top_logprobs![0]).toBeNull();
      for (let at = 1; at < prompt.length; at++) {
        const row = Float32Array.from(rows[at - 1]!);
        expect(logprobs!.token_logprobs![at]).toBeCloseTo(logProbability(row, prompt[at]!), 4);
        const top = Object.values(logprobs!.top_logprobs![at]!);
        expect(top).toHaveLength(2);
        const known = row.subarray(0, byteTokenizer.info.vocabulary); // the others are padding
        expect(Math.max(...top)).toBeCloseTo(logProbability(row, known.indexOf(Math.max(...known))), 4);
      }
    }
    expect(answer.choices[1]!.logprobs!.tokens!.slice(0, 2)).toEqual(["bytes:\\xc3", "bytes:\\xa9"]);
    expect(answer.choices[0]!.logprobs!.text_offset!.slice(0, 4)).toEqual([0, 1, 2, 3]);
  });
});

describe("chat", () => {
  const messages = [
    { role: "system" as const, content: "You tell stories." },
    { role: "user" as const, content: [{ type: "text" as const, text: "Tell one." }] },
  ];

  it("answers as the assistant, whole and streamed", async () => {
    const request = { ...fixed, messages, max_completion_tokens: 30, logprobs: true, top_logprobs: 2 };
    const whole = await client.chat.completions.create(request);
    const [choice] = whole.choices;
    expect(choice!.message.role).toBe("assistant");
    expect(choice!.logprobs!.content![0]!.top_logprobs).toHaveLength(2);
    let text = "";
    for await (const part of await client.chat.completions.create({ ...request, stream: true }))
      text += part.choices[0]?.delta.content ?? "";
    expect(text).toBe(choice!.message.content);
  });
});

describe("many at once", () => {
  it("each get the text that they get alone, 200 of them together", async () => {
    const ask = async (i: number) => {
      const stream = await client.completions.create({
        ...{ model: "tiny", seed: i, prompt: "x".repeat(1 + (i % 7)), max_tokens: 6 + (i % 5), stream: true },
      });
      let text = "";
      for await (const part of stream) text += part.choices[0]!.text;
      return text;
    };
    const together = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(i)));
    for (const i of [0, 99, 199]) expect(together[i]).toBe(await ask(i));
    await expectIdle(server);
  });

  it("are not held up by a reader who does not read, nor by those who leave", async () => {
    const { port } = new URL(server.url);
    const body = JSON.stringify({ prompt: "a", max_tokens: 4000, stream: true });
    const lazy = connect(Number(port), "127.0.0.1").on("error", () => {});
    lazy.write(
      `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    lazy.pause();
    const leaving = Array.from({ length: 5 }, async () => {
      const stream = await client.completions.create({ model: "tiny", prompt: "b", max_tokens: 4000, stream: true });
      for await (const _ of stream) break;
    });
    const abandoned = Array.from({ length: 5 }, () =>
      client.completions
        .create({ model: "tiny", prompt: "c", max_tokens: 4000 }, { signal: AbortSignal.timeout(100) })
        .catch(() => "left"),
    );
    await Promise.all([...leaving, ...abandoned]);
    expect((await client.completions.create({ ...fixed, prompt: "d", max_tokens: 5 })).usage!.completion_tokens).toBe(
      5,
    );
    lazy.destroy();
    await expectIdle(server);
  });
});

describe("readers of all kinds at once", () => {
  /** Asks for a stream over a bare socket, and reads nothing of it. */
  function openStream(prompt: string, tokens: number) {
    const { port } = new URL(server.url);
    const body = JSON.stringify({ prompt, max_tokens: tokens, stream: true, seed: 1 });
    const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
    socket.pause();
    socket.write(
      `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  }

  it("200 of them, some slow, some gone: those who read get their text, and nothing is left behind", async () => {
    const expected = (await client.completions.create({ model: "tiny", prompt: "s", max_tokens: 40, seed: 1 }))
      .choices[0]!.text;
    // Asleep until the others are done; then they get every word.
    const asleep = Array.from({ length: 50 }, () => openStream("s", 40));
    const gone = Array.from({ length: 50 }, (_, i) => {
      const socket = openStream("g", 4000);
      setTimeout(() => (i % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()), 10 * i);
      return once(socket, "close");
    });
    const reading = Array.from({ length: 100 }, async () => {
      const stream = await client.completions.create({
        model: "tiny",
        prompt: "s",
        max_tokens: 40,
        seed: 1,
        stream: true,
      });
      let text = "";
      for await (const part of stream) text += part.choices[0]!.text;
      return text;
    });
    for (const text of await Promise.all(reading)) expect(text).toBe(expected);
    await Promise.all(gone);
    for (const socket of asleep) {
      let answer = "";
      socket.setEncoding("utf8").on("data", (chunk) => {
        answer += chunk;
      });
      socket.resume();
      await once(socket, "close");
      const texts = [...answer.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!).choices[0].text);
      expect(texts.join("")).toBe(expected);
      expect(answer).toContain("data: [DONE]");
    }
    await expectIdle(server);
  });

  it("that leave while their prompt is being scored take their work with them", async () => {
    const prompts = Array.from({ length: 40 }, () => "p".repeat(48));
    const leaving = Array.from({ length: 6 }, (_, i) =>
      client.completions
        .create(
          { model: "tiny", prompt: prompts, max_tokens: 0, echo: true, logprobs: 5 },
          { signal: AbortSignal.timeout(20 + 20 * i) },
        )
        .catch(() => "left"),
    );
    await Promise.all(leaving);
    await expectIdle(server);
  });
});

describe("what is no proper HTTP", () => {
  /** Sends bytes as they are; what comes back until the server hangs up. */
  async function raw(bytes: string): Promise<string> {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      answer += chunk;
    });
    socket.write(bytes);
    await new Promise((resolve) => socket.on("close", resolve));
    return answer;
  }
  const post = (headers: string, body: string) =>
    `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n${headers}\r\n\r\n${body}`;
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

  it.each<[string, string, number]>([
    ["bytes of another protocol", "\u0016\u0003\u0001\u0002hello\r\n\r\n", 400],
    ["two lengths", post("content-length: 2\r\ncontent-length: 3", "{}"), 400],
    ["a length and chunks", post("content-length: 2\r\ntransfer-encoding: chunked", "0\r\n\r\n"), 400],
    ["a header that never ends", `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(20_000)}`, 431],
    ["no host", "GET /health HTTP/1.1\r\nconnection: close\r\n\r\n", 400],
    [
      "a body in chunks beyond the limit",
      post("transfer-encoding: chunked", chunk("a".repeat(70_000)).repeat(20)),
      413,
    ],
    [
      "a good body in chunks",
      post("transfer-encoding: chunked", `${chunk('{"prompt":')}${chunk('"a","max_tokens":1}')}0\r\n\r\n`),
      200,
    ],
  ])("%s gets an answer and leaves the server well", async (_, bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it("a body that stops half way holds up nobody", async () => {
    const { port } = new URL(server.url);
    const halves = Array.from({ length: 50 }, () => {
      const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
      socket.write(post("content-length: 1000", '{"prompt": "'));
      return socket;
    });
    expect((await client.completions.create({ ...fixed, prompt: "d", max_tokens: 2 })).choices).toHaveLength(1);
    for (const socket of halves) socket.destroy();
    await expectIdle(server);
  });
});

describe("a bad request", () => {
  const post = (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = { "content-type": "application/json" },
  ) => fetch(`${server.url}/v1/completions`, { method: "POST", body, headers });
  const json = (fields: object) => JSON.stringify({ prompt: "a", ...fields });

  it.each<[string, string | Uint8Array<ArrayBuffer>, number]>([
    ["no JSON", "{", 400],
    ["nothing", "", 400],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe, 0), 400],
    ["a list", "[]", 400],
    ["null", "null", 400],
    ["no prompt", "{}", 400],
    ["an empty list of tokens", json({ prompt: [] }), 400],
    ["no prompts", json({ prompt: [[]] }), 400],
    ["a token id beyond the vocabulary", json({ prompt: [1, 257] }), 400],
    ["a negative token id", json({ prompt: [-1] }), 400],
    ["a fractional token id", json({ prompt: [1.5] }), 400],
    ["mixed prompts", json({ prompt: ["a", [1]] }), 400],
    ["a prompt that is too long", json({ prompt: "a".repeat(49) }), 400],
    ["too many tokens", json({ max_tokens: 1e9 }), 400],
    ["too many choices", json({ n: 1000 }), 400],
    ["prompts times choices too many", json({ prompt: Array(100).fill("a"), n: 60 }), 400],
    ["a temperature below 0", json({ temperature: -1 }), 400],
    ["a temperature that is a text", json({ temperature: "hot" }), 400],
    ["a penalty that is not supported", json({ presence_penalty: 1 }), 400],
    ["another model", json({ model: "gpt-9" }), 404],
    ["a body beyond the limit", json({ prompt: "a".repeat(2 << 20) }), 413],
    ["a deeply nested body", `${"[".repeat(200_000)}${"]".repeat(200_000)}`, 400],
    ["a prompt of a million tokens", json({ prompt: Array(300_000).fill(1) }), 400],
    ["a number that is none", '{"prompt": "a", "temperature": 1e999}', 400],
    ["halves of a character", '{"prompt": "\\ud800", "max_tokens": 1e9}', 400],
    ["a million stop strings", json({ stop: Array(100_000).fill("x") }), 400],
    ["__proto__", '{"__proto__": {"prompt": "a"}}', 400],
  ])("of %s is refused", async (_, body, status) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { message: string; type: string } };
    expect(error.message.length).toBeGreaterThan(10);
    expect(error.type).toBe("invalid_request_error");
  });

  it("of another type, method or path is refused", async () => {
    expect((await post(json({}), { "content-type": "text/plain" })).status).toBe(415);
    const asked = await fetch(`${server.url}/v1/completions`);
    expect([asked.status, asked.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await fetch(`${server.url}/health`, { method: "DELETE" })).status).toBe(405);
    expect((await fetch(`${server.url}/etc/passwd`)).status).toBe(404);
  });

  it("under a name that is not loopback is refused", async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("GET /health HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1.1 403/);
    socket.destroy();
  });

  it("leaves no trace", async () => {
    await expectIdle(server);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/mm_requests_total\{route="\/v1\/completions",status="400"\} \d+/);
    expect(metrics).toContain("mm_choices_active 0");
    expect(metrics).not.toMatch(/status="5/);
  });
});

describe("a guarded server", () => {
  it("asks for its key, and limits requests and choices", async () => {
    const guarded = await startServerProcess({
      apiKey: "secret",
      limits: { requestsPerMinute: 6, concurrent: 2 },
    });
    await expect(clientOf(guarded, "wrong").models.list()).rejects.toMatchObject({ status: 401 });
    expect((await fetch(`${guarded.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${guarded.url}/health`)).status).toBe(200);
    const allowed = clientOf(guarded, "secret");
    expect((await allowed.models.list()).data).toHaveLength(1);
    // Never will there be room for three: to come back later is no use.
    const three = allowed.completions.create({ model: "tiny", prompt: "a", n: 3 });
    await expect(three).rejects.toMatchObject({ status: 400, param: "n" });
    const two = await allowed.completions.create({ model: "tiny", prompt: "a", n: 2, max_tokens: 4000, stream: true });
    const third = allowed.completions.create({ model: "tiny", prompt: "a" });
    await expect(third).rejects.toMatchObject({ status: 429, code: "overloaded" });
    two.controller.abort();
    for (let i = 0; i < 2; i++) await allowed.models.list();
    const limited = await allowed.models.list().catch((error) => error);
    expect(limited).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    guarded.child.kill("SIGKILL");
  });
});

describe("a server that is told to stop", () => {
  it("ends what it has begun, takes nothing new, and exits", async () => {
    const stopping = await startServerProcess();
    const own = clientOf(stopping);
    const stream = await own.completions.create({ ...fixed, prompt: "a", max_tokens: 300, stream: true });
    let finish: string | null = null;
    let parts = 0;
    for await (const part of stream) {
      if (parts++ === 0) {
        stopping.child.kill("SIGTERM");
        // Until the signal has arrived, the server goes on as before.
        const isTaken = () =>
          own.completions.create({ ...fixed, prompt: "b", max_tokens: 1 }).then(Boolean, () => false);
        while (await isTaken()) await pause(20);
      }
      finish = part.choices[0]?.finish_reason ?? finish;
    }
    expect(finish).toBe("length");
    const [code] = stopping.child.exitCode === null ? await once(stopping.child, "exit") : [stopping.child.exitCode];
    expect(code).toBe(0);
  });
});
