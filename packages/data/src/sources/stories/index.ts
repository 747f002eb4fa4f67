/** The embedded dataset: synthetic children's stories in the manner of BabiStories, from a seed. No download, no model. */
import { parseConfig, Rng } from "@mm/run";
import { z } from "zod";
import type { Document } from "../../dataset/text-batch.js";
import type { Source } from "../source.js";
import { writeStory } from "./story.js";

export const StoriesConfig = z.strictObject({
  count: z.number().int().min(1).default(20_000).describe("number of stories"),
  seed: z.number().int().nonnegative().default(1).describe("another seed gives other stories"),
});
export type StoriesConfig = z.input<typeof StoriesConfig>;

export function storiesSource(config: StoriesConfig = {}): Source {
  const { count, seed } = parseConfig(StoriesConfig, config, { source: 'the source "stories"' });
  const rng = Rng.fromSeed(seed).fork("stories");
  return {
    kind: "stories",
    description: `Synthetic: ${count} children's stories in the manner of BabiStories, written by mm's grammar and plot generator.`,
    synthetic: true,
    settings: { count, seed, generator: 1 },
    *documents({ signal }): Iterable<Document> {
      for (let index = 0; index < count && !signal?.aborted; index++) yield { text: writeStory(rng.fork(index)).text };
    },
  };
}
