/** What is asked of a language model, and what comes back: plain data, which a journal keeps and a queue carries. */
import { z } from "zod";
import { FAULTS, type FaultKind } from "./faults.js";

/** One prompt. Its `seed` decides the answer, so that a request asked again is answered alike where the server allows. */
export const CompletionRequest = z.strictObject({
  /** The number of the request among those of its kind, from 0. */
  id: z.number().int().nonnegative(),
  prompt: z.string(),
  /** How the answer must begin; the model goes on from there. */
  opening: z.string().default(""),
  /** Independent answers wanted. */
  answers: z.number().int().min(1).default(1),
  maxTokens: z.number().int().min(1),
  /** Below 2^32. */
  seed: z.number().int().nonnegative(),
});
export type CompletionRequest = z.output<typeof CompletionRequest>;

export const Usage = z.strictObject({
  promptTokens: z.number().int().nonnegative(),
  completionTokens: z.number().int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

const FaultCounts = z.partialRecord(z.enum(Object.keys(FAULTS) as [FaultKind, ...FaultKind[]]), z.number().int());
export type FaultCounts = z.infer<typeof FaultCounts>;

/** How a request ended for good: with its answers, or with none because the model or the server would not give any. */
export const Outcome = z.strictObject({
  id: z.number().int().nonnegative(),
  /** The opening and what the model wrote after it; empty when the request was given up. */
  texts: z.array(z.string()),
  /** Which of the texts stop at the token limit. */
  truncated: z.array(z.number().int().nonnegative()),
  /** HTTP requests sent. */
  requests: z.number().int().nonnegative(),
  /** Everything that went wrong on the way. */
  faults: FaultCounts,
  usage: Usage,
});
export type Outcome = z.infer<typeof Outcome>;
