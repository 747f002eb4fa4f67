/**
 * How many requests a second the client keeps going, and whether its memory stays flat:
 *
 *   node --conditions=mm-src --import ./scripts/typescript-loader.js packages/data/src/llm/testing/throughput.bench.ts [STORIES]
 *
 * The server, with 20 ms latency, is a process of its own; it tells one of a thousand stories made beforehand, so that it
 * does not compete with the client for the processor more than it must. 256 requests are in flight.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Rng } from "@mm/run";
import { writeStory } from "../../sources/stories/story.js";
import type { CompletionRequest } from "../completion.js";
import { CompletionRunner } from "../completion-runner.js";
import { EndpointConfig, LimitsConfig } from "../endpoint.js";
import { generateAll, localExecutor } from "../generate.js";
import { Journal } from "../journal.js";
import { OpenAiClient } from "../open-ai-client.js";
import { Tally } from "../tally.js";

const LATENCY = 20;
const IN_FLIGHT = 256;

if (process.send !== undefined) serve();
else await measure(Number(process.argv[2] ?? 20_000));

function serve(): void {
  const answers = Array.from({ length: 1000 }, (_, seed) => {
    const { text } = writeStory(Rng.fromSeed(seed));
    const usage = { prompt_tokens: 80, completion_tokens: 200 };
    return Buffer.from(
      JSON.stringify({ model: "story-teller", choices: [{ index: 0, finish_reason: "stop", text }], usage }),
    );
  });
  let next = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      setTimeout(() => {
        const answer = answers[next++ % answers.length]!;
        response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
        response.end(answer);
      }, LATENCY);
    });
  });
  server.listen(0, "127.0.0.1", 1024, () => process.send!((server.address() as AddressInfo).port));
}

async function measure(stories: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url));
  const port = await new Promise<number>((resolve) => child.once("message", (message) => resolve(Number(message))));
  const folder = mkdtempSync(join(tmpdir(), "mm-throughput-"));
  const endpoint = EndpointConfig.parse({ url: `http://127.0.0.1:${port}/v1`, model: "story-teller" });
  const limits = LimitsConfig.parse({ inFlight: IN_FLIGHT });
  const client = new OpenAiClient(endpoint, undefined, limits.timeoutSeconds);
  const runner = new CompletionRunner(client, endpoint, limits);
  const journal = new Journal(join(folder, "stories.journal"), {});
  function* requests(): Iterable<CompletionRequest> {
    for (let id = 0; id < stories; id++) {
      yield { id, prompt: `Write a short story, number ${id}.`, opening: "Once", answers: 1, maxTokens: 512, seed: id };
    }
  }
  const step = Math.max(1, Math.floor(stories / 10));
  const cpu = process.cpuUsage();
  const started = performance.now();
  await generateAll(localExecutor(runner, IN_FLIGHT), {
    requests,
    journal,
    tally: new Tally(),
    rounds: 1,
    onProgress: () => {
      if (journal.count % step !== 0) return;
      const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
      console.log(`${String(journal.count).padStart(9)} stories  ${megabytes} MB`);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  console.log(
    JSON.stringify({
      stories,
      seconds: Number(seconds.toFixed(1)),
      requestsPerSecond: Math.round(stories / seconds),
      requestsPerCpuSecond: Math.round(stories / cpuSeconds),
      limit: runner.slots.limit,
      journalMegabytes: Math.round(statSync(journal.path).size / 2 ** 20),
      load: Number(loadavg()[0]!.toFixed(1)),
      node: process.version,
    }),
  );
  journal.close();
  client.close();
  child.kill();
  rmSync(folder, { recursive: true });
}
