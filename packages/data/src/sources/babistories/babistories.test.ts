import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { temporaryFolder } from "../../../../run/src/testing/temporary-folder.js";
import { buildDataset } from "../../dataset/build.js";
import { type RequestBody, StoryServer } from "../../llm/testing/story-server.js";
import { writeStory } from "../stories/story.js";
import { Cleaner, storyOf } from "./clean.js";
import { formatCleaningReport } from "./cleaning-report.js";
import { REJECTED } from "./cleaning-rules.js";
import { dryRun } from "./dry-run.js";
import { babistoriesSource } from "./index.js";
import { leaksPrompt, looksEnglish } from "./inspect.js";
import { namesIn, openingsIn } from "./lists.js";
import { NearDuplicates } from "./near-duplicates.js";
import { drawPrompt, promptText, WORDS, withName } from "./prompts.js";
import { generateHere, smallConfig } from "./testing/generation.js";
import { WorkFolder } from "./work-folder.js";

describe("lists that a model writes", () => {
  it("give all beginnings of each opening, from one word to twelve", () => {
    const answer = "Here you are:\n1. Once upon a time...\n2. A dog.\nno number\n";
    expect([...openingsIn(answer)]).toEqual(["Once", "Once upon", "Once upon a", "Once upon a time", "A", "A dog"]);
    const long = `3. ${"word ".repeat(20)}`;
    expect([...openingsIn(long)].at(-1)).toBe("word ".repeat(12).trim());
  });

  it("give names of at most seven letters", () => {
    expect([...namesIn("1. Mira\n2. Alexander\n3. Matilda\nThese are names.")]).toEqual(["Mira", "Matilda"]);
  });
});

describe("prompts", () => {
  it("draw on at least 1,500 verbs, nouns and adjectives", () => {
    const words = new Set(Object.values(WORDS).flat());
    expect(words.size).toBeGreaterThanOrEqual(1500);
  });

  it("ask for the three words, the features and the name", () => {
    const text = withName(promptText("behave", "candle", "competitive", ["Twist", "Dialogue"]), "Bai");
    expect(text).toContain(
      'must use the character name "Bai", the verb "behave", the noun "candle" and the adjective "competitive"',
    );
    expect(text).toContain(
      "It must have this: something happens that nobody expects, and somebody in it speaks at least once.",
    );
    expect(promptText("run", "cat", "red", [])).not.toContain("It must have");
  });

  it("have none to three features", () => {
    const counts = new Set<number>();
    for (let id = 0; id < 200; id++) counts.add(drawPrompt(Rng.fromSeed(1).fork(id)).features.length);
    expect([...counts].sort()).toEqual([0, 1, 2, 3]);
  });

  it("take a name also where they do not speak of a verb", () => {
    expect(withName("Tell a story.", "Bai")).toBe('Tell a story. A character of the story has the name "Bai".');
  });
});

describe("cleaning", () => {
  const clean = (text: string, fusedDialogue = true) => new Cleaner({ fusedDialogue }).clean(text);

  it("cuts at each marker and joins paragraphs", () => {
    expect(clean(" Once.\n\nTwice.\n\nMoral: be kind. ")).toEqual({
      text: "Once. Twice.",
      cuts: ["Moral:"],
      rejected: undefined,
    });
    expect(clean("They left. The end. User 1: more")).toMatchObject({ text: "They left.", cuts: ["The end"] });
    expect(clean("They left.\n\nUser 3: more").text).toBe("They left.");
  });

  it("applies the markers one after the other: what is cut off is not seen by the next", () => {
    expect(clean("A. Note: x. This is the moral of the story: y. Notes: z").cuts).toEqual([
      "This is the moral of the story:",
      "Note:",
    ]);
  });

  it('lets "Dialogue:" stand as published, and cuts there when asked to', () => {
    const text = "He left. Dialogue: none";
    expect(clean(text).text).toBe(text);
    expect(clean(text, false).text).toBe("He left.");
  });

  it.each(REJECTED)("rejects a story with %s", (part) => {
    const { text, rejected } = clean(`A b ${part} c.`);
    // "#" in pairs is a marker before it is forbidden.
    expect(text === undefined && part.includes(rejected!)).toBe(true);
  });

  it("rejects what is empty after cutting, and takes a story out of its prompt", () => {
    expect(clean("  The End").rejected).toBe("empty");
    expect(storyOf("[INST] Tell it. [/INST] Once.")).toBe(" Once.");
  });

  it("notices stories that repeat their prompt or are not English", () => {
    const prompt = promptText("run", "cat", "red", []);
    const { text } = writeStory(Rng.fromSeed(3));
    expect(leaksPrompt(text, prompt)).toBe(false);
    expect(leaksPrompt(`${text} It used the verb "run" as asked.`, prompt)).toBe(true);
    expect(leaksPrompt("I will write in very simple words that a child of three years understands.", prompt)).toBe(
      true,
    );
    expect(looksEnglish(text)).toBe(true);
    expect(looksEnglish("Es war einmal ein kleiner Hund, der wollte immer nur spielen und lachen.")).toBe(false);
  });
});

describe("near-duplicates", () => {
  const story = (seed: number) => writeStory(Rng.fromSeed(seed)).text;
  const runs = (text: string) => {
    const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu)!;
    return new Set(words.slice(4).map((_, at) => words.slice(at, at + 5).join(" ")));
  };
  const jaccard = (a: string, b: string) => {
    const [first, second] = [runs(a), runs(b)];
    const common = [...first].filter((run) => second.has(run)).length;
    return common / (first.size + second.size - common);
  };

  it("estimates the share of common five-word runs", () => {
    const finder = new NearDuplicates(0.8);
    for (const changed of [5, 20, 60]) {
      const words = story(1).split(" ");
      const other = [...words.slice(0, -changed), ...story(2).split(" ").slice(0, changed)].join(" ");
      const [a, b] = [finder.signature(story(1)), finder.signature(other)];
      const estimate = a.filter((value, row) => value === b[row]).length / a.length;
      expect(Math.abs(estimate - jaccard(story(1), other))).toBeLessThan(0.2);
    }
  });

  it("finds a story with a changed word among a thousand, and nothing else", () => {
    const finder = new NearDuplicates(0.8);
    for (let seed = 0; seed < 1000; seed++) finder.add(story(seed));
    const kept = finder.count;
    expect(kept).toBeGreaterThan(980);
    expect(finder.add(`${story(17)} Yes!`)).toBe(17);
    expect(
      finder.add("A completely different tale about nothing in particular that nobody wrote before."),
    ).toBeUndefined();
    expect(finder.count).toBe(kept + 1);
  });
});

describe("a corpus from a server", () => {
  let server: StoryServer;
  let work: string;
  beforeEach(async () => {
    server = await StoryServer.start();
    work = temporaryFolder();
  });
  afterEach(() => server.stop());

  it("goes from openings to tokens, with every kind of fault on the way", async () => {
    server.settings = {
      faults: {
        "429": 0.03,
        "500": 0.03,
        reset: 0.03,
        empty: 0.1,
        refusal: 0.1,
        truncated: 0.1,
        marked: 0.2,
        forbidden: 0.1,
      },
    };
    const config = smallConfig(server.url, 150);
    const { cleaning, tally, openings, names } = await generateHere(config, work);
    expect(openings).toBeGreaterThan(100);
    expect(names).toBeGreaterThan(50);
    expect(cleaning.requests).toBe(150);
    expect(cleaning.stories + cleaning.unanswered).toBe(150);
    expect(cleaning.cuts["Moral:"]).toBeGreaterThan(5);
    expect(cleaning.rejected["http"]).toBeGreaterThan(3);
    expect(cleaning.leaks + cleaning.notEnglish).toBe(0);
    expect(tally.requests).toBe(server.requests);
    expect(tally.faults.refusal).toBe(server.injected.refusal);
    expect(formatCleaningReport(cleaning)).toContain(`${cleaning.kept} of ${cleaning.stories} stories kept`);

    const folder = new WorkFolder(work);
    const out = join(temporaryFolder(), "corpus");
    const { info } = await buildDataset(babistoriesSource(config, folder), out);
    folder.close();
    expect(info.splits.train.documents + info.splits.valid.documents).toBe(cleaning.kept);
    expect(info.source.settings).not.toHaveProperty("url");
    expect(readFileSync(join(out, "sample.txt"), "utf8")).not.toMatch(/\[INST\]/);
  });

  it("asks nothing twice: a second run changes nothing, more stories only add", async () => {
    await generateHere(smallConfig(server.url, 30), work);
    const asked = server.requests;
    const before = readFileSync(join(work, "stories_clean.txt"), "utf8");
    await generateHere(smallConfig(server.url, 30), work);
    expect(server.requests).toBe(asked);
    await generateHere(smallConfig(server.url, 40), work);
    expect(server.requests).toBe(asked + 10);
    expect(readFileSync(join(work, "stories_clean.txt"), "utf8").startsWith(before)).toBe(true);
  });

  it("refuses to mix settings, and a folder in which somebody else works", async () => {
    await generateHere(smallConfig(server.url, 5), work);
    const other = smallConfig(server.url, 5, {
      endpoint: { url: server.url, model: "story-teller", temperature: 0.5 },
    });
    await expect(generateHere(other, work)).rejects.toThrow(/begun with/);
    writeFileSync(join(work, "lock"), `${process.ppid} ${(await import("node:os")).hostname()}\n`);
    await expect(generateHere(smallConfig(server.url, 5), work)).rejects.toThrow(/works there/);
  });

  it("takes prompts from TinyStories' files", async () => {
    const shard = join(temporaryFolder(), "data00.json");
    const entry = (text: string) => ({
      story: "x",
      instruction: { "prompt:": text, words: ["run"], features: ["Twist"] },
    });
    writeFileSync(shard, JSON.stringify([entry('Use the verb "run".'), entry("Tell a story.")], null, 1));
    const bodies: RequestBody[] = [];
    server.settings = { onRequest: (body) => bodies.push(body) };
    const { cleaning } = await generateHere(
      smallConfig(server.url, 100, { stories: { prompts: [shard], maxTokens: 512, answers: 1 } }),
      work,
    );
    expect(cleaning.requests).toBe(2);
    const prompts = bodies.slice(5).map(({ prompt }) => prompt);
    expect(prompts.some((prompt) => /Use the character name "\w+", the verb "run"\./.test(prompt!))).toBe(true);
  });

  it("drops near-duplicates and truncated stories when asked to", async () => {
    server.settings = { faults: { truncated: 0.3 } };
    const cleaning = { nearDuplicates: true, truncated: "drop" };
    const { cleaning: report } = await generateHere(smallConfig(server.url, 60, { cleaning }), work);
    expect(report.truncatedDropped).toBeGreaterThan(8);
    expect(report.nearDuplicates).toBe(0);
    expect(report.kept + report.truncatedDropped).toBe(60);
  });

  it("tells beforehand what it would ask and what that would cost, without asking", async () => {
    const config = smallConfig(server.url, 1000, { prices: { prompt: 1, completion: 10 } });
    const plan = await dryRun(config);
    expect(plan.stages.map(({ stage, requests }) => [stage, requests])).toEqual([
      ["openings", 3],
      ["names", 2],
      ["stories", 1000],
    ]);
    const stories = plan.stages[2]!;
    expect(stories.promptTokens / 1000).toBeGreaterThan(60);
    expect(stories.completionTokens).toEqual({ expected: 216_000, most: 512_000 });
    expect(plan.cost.most).toBeGreaterThan(5.12);
    expect(plan.samples.join("\n")).toContain("the character name");
    expect(server.requests).toBe(0);
    expect(existsSync(join(work, "lock"))).toBe(false);
  });
});
