/**
 * Sequences that ask for what stood in them before. K and V are keys and their values, · other tokens; the answer, after
 * a key that comes again, is the target, and nothing else is.
 *
 *   distance   · · K₁ V₁ · · · K₂ V₂ · K₁ · ·        from K₁ to K₁: the distance that the sequence asks about, here 8
 *   pairs      K₁ V₁ K₂ V₂ K₃ V₃ K₂ V₂ K₃ V₃ K₁ V₁   every key again, in another order
 *
 * The second is multi-query associative recall (Arora et al., "Zoology", ICLR 2024) without tokens in between.
 */
import type { Rng } from "@mm/run";
import type { TrainingBatch } from "../passes/one-pass.js";
import type { RecallProtocol } from "./config.js";

const IGNORED = -1;

/** What a sequence asks about: a distance or a number of pairs, as the task says. */
export type RecallPoint = number;

export function recallPoints({ task, distances, pairs }: RecallProtocol): readonly RecallPoint[] {
  return task === "distance" ? distances : pairs;
}

/**
 * `rows` sequences that ask about one point. Of the task `distance` a batch in training is of `null`: every query draws
 * its own distance.
 */
export function recallBatch(
  protocol: RecallProtocol,
  point: RecallPoint | null,
  rows: number,
  rng: Rng,
): TrainingBatch {
  const { task } = protocol;
  const asked = point === null && task === "pairs" ? rng.fork("pairs").pick(protocol.pairs) : point;
  const sequences = Array.from({ length: rows }, (_, row) => {
    const own = rng.fork(row);
    return task === "pairs" ? pairsSequence(protocol, asked!, own) : distanceSequence(protocol, asked, own);
  });
  const { length } = sequences[0]!.tokens;
  const flat = (part: "tokens" | "targets") => Int32Array.from(sequences.flatMap((sequence) => sequence[part]));
  return { tokens: flat("tokens"), targets: flat("targets"), length };
}

interface RecallSequence {
  tokens: number[];
  targets: number[];
}

function pairsSequence({ keys, values }: RecallProtocol, count: number, rng: Rng): RecallSequence {
  const pairs = distinct(keys, count, rng.fork("keys")).map((key) => ({ key, value: keys + rng.integer(0, values) }));
  const asked = rng.fork("order").shuffle(pairs);
  return {
    tokens: [...pairs, ...asked].flatMap(({ key, value }) => [key, value]),
    targets: [...Array(2 * count).fill(IGNORED), ...asked.flatMap(({ value }) => [value, IGNORED])],
  };
}

/** How often places are drawn for a pair and its query before all start anew. */
const ATTEMPTS = 100;

function distanceSequence(protocol: RecallProtocol, asked: number | null, rng: Rng): RecallSequence {
  const { keys, values, fillers, queries, length, distances } = protocol;
  for (;;) {
    const tokens = Array.from({ length }, () => keys + values + rng.integer(0, fillers));
    const targets = Array<number>(length).fill(IGNORED);
    const free = Array<boolean>(length).fill(true);
    let placed = 0;
    for (const key of distinct(keys, queries, rng)) {
      const distance = asked ?? rng.pick(distances);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const at = rng.integer(0, length - distance);
        const query = at + distance;
        if (![at, at + 1, query].every((place) => free[place])) continue;
        for (const place of [at, at + 1, query]) free[place] = false;
        tokens[at] = tokens[query] = key;
        tokens[at + 1] = targets[query] = keys + rng.integer(0, values);
        placed++;
        break;
      }
    }
    // The longest distances leave few places: what found none is left out, but a sequence asks at least once.
    if (placed > 0) return { tokens, targets };
  }
}

function distinct(below: number, count: number, rng: Rng): number[] {
  return rng.sample(
    Array.from({ length: below }, (_, i) => i),
    count,
  );
}
