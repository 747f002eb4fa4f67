/** Everything that can go wrong with a completion, and what follows from it. */

/** What to do about a fault. */
export type Remedy =
  /** Ask the same again, later: the server or the network failed. */
  | "again"
  /** Ask with another seed: this answer is of no use, another may be. */
  | "redraw"
  /** Give up this request: it would fail again. */
  | "skip"
  /** Stop: no request can succeed until a person changes something. */
  | "stop"
  /** Keep the answer, and count. */
  | "count";

export const FAULTS = {
  rateLimit: { remedy: "again", title: "told to slow down (429)" },
  overload: { remedy: "again", title: "server overloaded (503, 529)" },
  serverError: { remedy: "again", title: "server errors (5xx)" },
  timeout: { remedy: "again", title: "no whole answer in time" },
  connection: { remedy: "again", title: "connection refused, reset or cut" },
  invalidJson: { remedy: "again", title: "answers that are no JSON" },
  malformed: { remedy: "again", title: "JSON without an answer in it" },
  wrongModel: { remedy: "again", title: "answers by another model" },
  empty: { remedy: "redraw", title: "empty answers" },
  refusal: { remedy: "redraw", title: "refusals" },
  contentFilter: { remedy: "redraw", title: "stopped by a content filter" },
  badRequest: { remedy: "skip", title: "requests that the server rejects (4xx)" },
  unauthorized: { remedy: "stop", title: "key missing or not accepted (401, 403)" },
  unknownModel: { remedy: "stop", title: "model or address unknown (404)" },
  quota: { remedy: "stop", title: "credit used up" },
  truncated: { remedy: "count", title: "answers cut at the token limit" },
} as const satisfies Record<string, { remedy: Remedy; title: string }>;

export type FaultKind = keyof typeof FAULTS;

/** One failed attempt. The message never holds the key. */
export class CompletionFault extends Error {
  override readonly name = "CompletionFault";
  readonly kind: FaultKind;
  /** Milliseconds after which the server says to come back. */
  readonly retryAfter: number | undefined;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;

  constructor(kind: FaultKind, message: string, options: { retryAfter?: number | undefined; status?: number } = {}) {
    super(message);
    this.kind = kind;
    this.retryAfter = options.retryAfter;
    this.status = options.status;
  }

  get remedy(): Remedy {
    return FAULTS[this.kind].remedy;
  }
}

const REFUSAL =
  /^\W*(?:(?:I'm|I am|we're|we are)? ?(?:very |really )?sorry,? but (?:I|we|as an)\b|I apologi[sz]e,? but\b|I (?:cannot|can't|can not|won't|will not|am unable to|am not able to|'m unable to|'m not able to) (?:write|create|help|assist|fulfil|provide|continue|generate|comply|produce)|as an? (?:AI|artificial intelligence|(?:large )?language model)\b)/i;

/** Whether the words after the opening decline the task instead of telling a story. */
export function isRefusal(continuation: string): boolean {
  return REFUSAL.test(continuation.trimStart().replaceAll("’", "'"));
}
