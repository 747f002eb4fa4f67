/** What the model itself thought of a token, before temperature and filters. */

export interface ScoredToken {
  token: number;
  /** Natural logarithm of the probability. */
  logProbability: number;
}

/** log softmax(logits)[token] */
export function logProbability(logits: Float32Array, token: number): number {
  return logits[token]! - logSumExp(logits);
}

/** The `count` most probable tokens below `vocabulary`, most probable first, smaller ids first among equals. */
export function mostProbable(logits: Float32Array, count: number, vocabulary = logits.length): ScoredToken[] {
  const total = logSumExp(logits);
  return largest(logits.subarray(0, vocabulary), count).map((token) => ({
    token,
    logProbability: logits[token]! - total,
  }));
}

/** Indices of the `count` largest values, largest first, smaller indices first among equals. */
export function largest(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (best.length === count && !(value > values[best.at(-1)!]!)) continue;
    let at = best.length;
    while (at > 0 && value > values[best[at - 1]!]!) at--;
    best.splice(at, 0, index);
    if (best.length > count) best.pop();
  }
  return best;
}

export function logSumExp(logits: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const logit of logits) most = Math.max(most, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return most + Math.log(sum);
}
