import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { ADJECTIVES, adverb, comparative, superlative } from "./adjectives.js";
import { compile, indefinite, StoryWriter } from "./grammar.js";
import { NOUNS, plural } from "./nouns.js";
import type { FEATURES } from "./scene.js";
import { writeStory } from "./story.js";
import { past, progressive, thirdPerson, VERBS } from "./verbs.js";

describe("the story generator", () => {
  const rng = Rng.fromSeed(1).fork("stories");

  it("writes 100,000 different stories with more than 5,000 different words", () => {
    const seen = new Set<string>();
    const words = new Set<string>();
    let characters = 0;
    for (let index = 0; index < 100_000; index++) {
      const { text } = writeStory(rng.fork(index));
      seen.add(text);
      characters += text.length;
      for (const word of text.toLowerCase().split(/[^a-z-]+/)) words.add(word);
    }
    expect(seen.size).toBe(100_000);
    expect(words.size).toBeGreaterThan(5000);
    // The paper's stories have 888 characters on average.
    expect(characters / 100_000).toBeGreaterThan(700);
    expect(characters / 100_000).toBeLessThan(1100);
  });

  it("writes the same story for the same seed and number", () => {
    expect(writeStory(rng.fork(7)).text).toBe(writeStory(Rng.fromSeed(1).fork("stories").fork(7)).text);
    expect(writeStory(rng.fork(7)).text).not.toBe(writeStory(rng.fork(8)).text);
  });

  it("uses the words that are asked for, and tells of its hero from beginning to end", () => {
    for (let index = 0; index < 500; index++) {
      const { text, hero, request } = writeStory(rng.fork(index), {
        verb: "sparkle",
        noun: "walnut",
        adjective: "velvet",
      });
      expect(request).toMatchObject({ verb: "sparkle", noun: "walnut" });
      expect(text).toMatch(/sparkl(e|ed|es|ing)\b/);
      expect(text).toContain("walnut");
      expect(text).toContain("velvet walnut");
      expect(text.split(hero).length).toBeGreaterThan(2);
    }
  });

  it("obeys each feature", () => {
    const sentences = (feature: (typeof FEATURES)[number]) =>
      Array.from({ length: 50 }, (_, index) => writeStory(rng.fork(index), { features: [feature] }).text);
    for (const text of sentences("MoralValue")) expect(text).toMatch(/moral is|remember:|learned/);
    for (const text of sentences("BadEnding")) expect(text).toMatch(/never saw|sat alone|too late|did not come back/);
    for (const text of sentences("Dialogue")) expect(text.split('"').length).toBeGreaterThan(4);
    for (const text of sentences("Twist")) expect(text).toMatch(/unexpected|Suddenly|surprise|guess what|dream/);
    for (const text of sentences("Conflict")) expect(text).toMatch(/mine!|quarrel|never \w+ with me/);
  });

  it("begins each sentence with a capital and never leaves a slot open", () => {
    for (let index = 0; index < 1000; index++) {
      const { text } = writeStory(rng.fork(index));
      expect(text).not.toMatch(/[{}[\]|]|undefined| {2}|^ | $/);
      expect(text).not.toMatch(/[.] [a-z]|^[a-z]/);
      expect(text).not.toMatch(/\ba [aeio]/i);
    }
  });
});

describe("word forms", () => {
  it("follow the rules of English", () => {
    expect(["hop", "bake", "cry", "play", "run", "watch"].map(past)).toEqual([
      "hopped",
      "baked",
      "cried",
      "played",
      "ran",
      "watched",
    ]);
    expect(["hop", "bake", "cry", "see", "lie", "begin"].map(progressive)).toEqual([
      "hopping",
      "baking",
      "crying",
      "seeing",
      "lying",
      "beginning",
    ]);
    expect(["hop", "watch", "cry", "play"].map(thirdPerson)).toEqual(["hops", "watches", "cries", "plays"]);
    expect(["cat", "fox", "mouse", "rice"].map(plural)).toEqual(["cats", "foxes", "mice", "rice"]);
    expect(["happy", "gentle", "brave"].map(adverb)).toEqual(["happily", "gently", "bravely"]);
    expect(["big", "happy", "pale"].map(comparative)).toEqual(["bigger", "happier", "paler"]);
    expect(["big", "happy", "pale"].map(superlative)).toEqual(["biggest", "happiest", "palest"]);
    expect(["apple", "unicorn", "hour", "cat"].map(indefinite)).toEqual(["an apple", "a unicorn", "an hour", "a cat"]);
  });

  it("come from at least 1,500 nouns, verbs and adjectives", () => {
    expect(NOUNS.length + VERBS.length + ADJECTIVES.length).toBeGreaterThan(1500);
    for (const words of [NOUNS, VERBS, ADJECTIVES]) {
      expect(new Set(words).size).toBe(words.length);
      expect(words.filter((word) => !/^[a-z-]+$/.test(word))).toEqual([]);
    }
  });
});

describe("templates", () => {
  const write = (template: string) => {
    const writer = new StoryWriter({}, Rng.fromSeed(1));
    writer.add(compile(template, { apple: () => "apple", he: () => "he" }));
    return writer.text;
  };

  it("capitalise sentences, but not what follows a question or a call in quotation marks", () => {
    expect(write('{he} ran. "stop!" {he} cried. "why?" asked {he}. {he} sat.')).toBe(
      'He ran. "Stop!" he cried. "Why?" asked he. He sat.',
    );
  });

  it("turn a into an, and nest alternatives", () => {
    expect(write("take a {apple}")).toBe("Take an apple");
    expect(["Red box", "Blue box", "Blue tin"]).toContain(write("[red box|blue [box|tin]]"));
  });

  it("refuse unknown slots and missing brackets", () => {
    expect(() => compile("a {nothing}", {})).toThrow(/unknown slot "nothing"/);
    expect(() => compile("a [b|c", {})).toThrow(/missing/);
  });
});
