/** Sums up outcomes: stories, requests, tokens, money and everything that went wrong. */
import type { FaultCounts, Outcome } from "./completion.js";
import { FAULTS, type FaultKind } from "./faults.js";

/** Money per million tokens, in any currency. */
export interface Prices {
  readonly prompt: number;
  readonly completion: number;
}

export class Tally {
  /** Requests settled with at least one text. */
  answered = 0;
  /** Requests given up without a text. */
  rejected = 0;
  texts = 0;
  /** HTTP requests. */
  requests = 0;
  promptTokens = 0;
  completionTokens = 0;
  readonly faults: FaultCounts = {};

  add({ texts, requests, usage, faults }: Outcome): void {
    if (texts.length > 0) this.answered++;
    else this.rejected++;
    this.texts += texts.length;
    this.requests += requests;
    this.promptTokens += usage.promptTokens;
    this.completionTokens += usage.completionTokens;
    this.addFaults(faults);
  }

  /** Adds what another tally counted, also one that was stored as JSON. */
  merge(other: TallyCounts): void {
    this.answered += other.answered;
    this.rejected += other.rejected;
    this.texts += other.texts;
    this.requests += other.requests;
    this.promptTokens += other.promptTokens;
    this.completionTokens += other.completionTokens;
    this.addFaults(other.faults);
  }

  addFaults(faults: FaultCounts): void {
    for (const [kind, count] of Object.entries(faults) as [FaultKind, number][]) {
      this.faults[kind] = (this.faults[kind] ?? 0) + count;
    }
  }

  cost(prices: Prices): number {
    return costOf(prices, this.promptTokens, this.completionTokens);
  }

  /** "12 told to slow down (429), 3 empty answers"; empty when all went well. */
  describeFaults(): string {
    return (Object.keys(FAULTS) as FaultKind[])
      .filter((kind) => (this.faults[kind] ?? 0) > 0)
      .map((kind) => `${this.faults[kind]} ${FAULTS[kind].title}`)
      .join(", ");
  }
}

export type TallyCounts = Pick<
  Tally,
  "answered" | "rejected" | "texts" | "requests" | "promptTokens" | "completionTokens" | "faults"
>;

export function costOf({ prompt, completion }: Prices, promptTokens: number, completionTokens: number): number {
  return (prompt * promptTokens + completion * completionTokens) / 1e6;
}
