import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Engine, type GenerationRequest } from "./engine.js";
import { servedTinyModel } from "./testing/tiny-model.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

const greedy = { temperature: 0 };

async function tokensOf(engine: Engine, request: GenerationRequest): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { token } of engine.generate(request)) tokens.push(token);
  return tokens;
}

describe("the engine", () => {
  const requests = Array.from({ length: 7 }, (_, i) => ({
    prompt: Array.from({ length: 1 + 6 * i }, (_, j) => (i + 3 * j) % 250),
    maxTokens: 3 + i,
    sampling: greedy,
  }));

  it("writes each text as if it were alone, in small batches, with prompts in pieces and slow readers", async () => {
    const model = servedTinyModel();
    const together = new Engine(model, { batch: 3, promptChunk: 5, ahead: 2 });
    const texts = await Promise.all(requests.map((request) => tokensOf(together, request)));
    const alone = new Engine(model);
    for (const [i, request] of requests.entries()) expect(texts[i]).toEqual(await tokensOf(alone, request));
    expect([together.load, alone.load, model.openStates()]).toEqual([0, 0, 0]);
  });

  it.each([0, 1, 5])("gives a prompt back with its scores, in pieces, and %i tokens more", async (maxTokens) => {
    const model = servedTinyModel();
    const { prompt } = requests[4]!;
    const scored = async (promptChunk: number) => {
      const request = { prompt, maxTokens, sampling: greedy, echo: true, alternatives: 1 };
      const all = [];
      for await (const token of new Engine(model, { promptChunk }).generate(request)) all.push(token);
      return all;
    };
    const [whole, pieces] = [await scored(1000), await scored(4)];
    expect(whole.filter(({ ofPrompt }) => ofPrompt).map(({ token }) => token)).toEqual(prompt);
    expect(whole).toHaveLength(prompt.length + maxTokens);
    expect(pieces.map(({ token }) => token)).toEqual(whole.map(({ token }) => token));
    expect(whole[0]!.logProbability).toBeUndefined();
    for (const [i, { logProbability }] of pieces.entries())
      if (i > 0) expect(logProbability).toBeCloseTo(whole[i]!.logProbability!, 4);
    expect(model.openStates()).toBe(0);
  });

  it("lets a reader leave, and an abort end a text, while others go on", async () => {
    const model = servedTinyModel();
    const engine = new Engine(model);
    const controller = new AbortController();
    const aborted = async () => {
      for await (const _ of engine.generate({ ...requests[0]!, maxTokens: 1000 }, controller.signal))
        controller.abort();
    };
    const left = async () => {
      for await (const _ of engine.generate({ ...requests[1]!, maxTokens: 1000 })) break;
    };
    const [stays] = await Promise.all([
      tokensOf(engine, requests[6]!),
      expect(aborted()).rejects.toMatchObject({ name: "AbortError" }),
      left(),
    ]);
    expect(stays).toHaveLength(9);
    expect([engine.load, model.openStates()]).toEqual([0, 0]);
  });

  it("gives a fault of the model to those who were in the pass, and works on", async () => {
    const model = servedTinyModel();
    const engine = new Engine(model);
    await expect(tokensOf(engine, { ...requests[0]!, prompt: [1e6] })).rejects.toThrow();
    expect(await tokensOf(engine, requests[0]!)).toHaveLength(3);
    expect(model.openStates()).toBe(0);
  });
});
