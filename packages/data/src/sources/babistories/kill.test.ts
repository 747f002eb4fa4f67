import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { startChild } from "../../../../run/src/testing/child-process.js";
import { temporaryFolder } from "../../../../run/src/testing/temporary-folder.js";
import { Journal } from "../../llm/journal.js";
import { StoryServer, type StoryServerSettings } from "../../llm/testing/story-server.js";
import { readLines } from "./line-file.js";
import { storyRequests } from "./requests.js";
import { generateHere, smallConfig } from "./testing/generation.js";

/** Corpora that are written at the same time by the process that is killed. */
const CORPORA = 10;
const KILLS = 5;
const RESULTS = ["openings.txt", "names.txt", "stories_clean.txt", "traindataset.txt", "valdataset.txt"];

let server: StoryServer;
beforeAll(async () => {
  server = await StoryServer.start();
});
afterAll(() => server.stop());

/** Corpora of different sizes, so that one kill meets them in different stages. */
const configOf = (corpus: number) =>
  smallConfig(server.url, 4 * (corpus + 1), {
    seed: corpus,
    openings: { requests: 2, answers: 1 },
    names: { requests: 1, answers: 1 },
    endpoint: { url: server.url, model: "story-teller", extra: { user: String(corpus) } },
  });

const results = (folder: string) => RESULTS.map((name) => readFileSync(join(folder, name), "utf8"));

describe("a process that is killed with SIGKILL while it writes ten corpora", () => {
  it("loses nothing, repeats no finished request and ends with the same corpora, after fifty kills", async () => {
    const lasting = { empty: 0.05, refusal: 0.05, truncated: 0.05, marked: 0.1, forbidden: 0.05 };
    server.settings = { faults: lasting };
    const calm = temporaryFolder();
    const corpora = Array.from({ length: CORPORA }, (_, corpus) => corpus);
    await Promise.all(corpora.map((corpus) => generateHere(configOf(corpus), join(calm, String(corpus)))));
    const expected = corpora.map((corpus) => results(join(calm, String(corpus))));
    const total = server.requests;

    const folder = temporaryFolder();
    const rng = Rng.fromSeed(50);
    /** Requests whose outcome is in a journal, as "corpus seed". */
    let finished = new Set<string>();
    let repeated = 0;
    let killAt = Number.POSITIVE_INFINITY;
    let kill = () => {};
    const never = new Promise(() => {});
    const unsteady: StoryServerSettings = {
      latency: 3,
      faults: { ...lasting, "429": 0.03, "500": 0.03, reset: 0.03, cut: 0.03, "invalid-json": 0.02 },
      onRequest: (body, count) => {
        if (finished.has(`${body["user"]} ${body.seed}`)) repeated++;
        if (count < killAt) return;
        // So the process cannot end before it is killed, however slow that is.
        server.settings = { ...unsteady, until: never };
        setTimeout(kill, rng.uniform() * 6);
      },
    };
    const script = `
      import { generateHere } from ${JSON.stringify(new URL("./testing/generation.ts", import.meta.url).href)};
      const configs = ${JSON.stringify(Array.from({ length: CORPORA }, (_, corpus) => configOf(corpus)))};
      await Promise.all(configs.map((config, corpus) => generateHere(config, ${JSON.stringify(folder)} + "/" + corpus)));
      console.log("all done");`;
    for (let round = 0; round <= KILLS; round++) {
      const child = startChild(script);
      server.settings = unsteady;
      kill = () => child.process.kill("SIGKILL");
      killAt =
        round === KILLS ? Number.POSITIVE_INFINITY : server.requests + rng.integer(1, Math.ceil(total / (KILLS + 1)));
      const code = await child.ended;
      expect([code, child.errors()]).toEqual([round === KILLS ? 0 : null, ""]);
      finished = await finishedSeeds(folder);
    }
    expect(repeated).toBe(0);
    for (let corpus = 0; corpus < CORPORA; corpus++)
      expect(results(join(folder, String(corpus)))).toEqual(expected[corpus]);
  });
});

async function finishedSeeds(folder: string): Promise<Set<string>> {
  const finished = new Set<string>();
  for (let corpus = 0; corpus < CORPORA; corpus++) {
    const path = (name: string) => join(folder, String(corpus), name);
    if (!existsSync(path("stories.journal"))) continue;
    const journal = new Journal(path("stories.journal"));
    const ingredients = { openings: readLines(path("openings.txt")), names: readLines(path("names.txt")) };
    for await (const { id, seed } of storyRequests(configOf(corpus), ingredients)) {
      if (journal.has(id)) finished.add(`${corpus} ${seed}`);
    }
    journal.close();
  }
  return finished;
}
