/**
 * Baum–Welch fast enough to be refitted at every position of a problem. Same results as `baum-welch.ts`, which is the
 * definition, in two ways cheaper:
 *
 *   - probabilities are rescaled at each step instead of kept as logarithms, so no exponentials remain; −9999 becomes 0;
 *   - row (q, q') of the transitions is a constant b but for the Q entries towards (q', ·), so
 *     Σ_z α_z A_z,(q',q'') = Σ_z α_z b_z + Σ_q α_(q,q') (A − b)_(q,q'),(q',q'')    costs S·Q products, not S².
 */
import { Rng } from "@mm/run";
import {
  type Counting,
  type ExpectedCounts,
  type HiddenMarkovModel,
  initialModel,
  isOverwritten,
  maximise,
  reachability,
} from "./baum-welch.js";
import { type Predictor, probabilityPredictor } from "./predictor.js";
import { SEPARATOR, SYMBOLS } from "./vocabulary.js";

/** One iteration of expectation maximisation. */
export function baumWelchStepScaled(
  model: HiddenMarkovModel,
  strings: readonly ArrayLike<number>[],
  counting: Counting = "correct",
): HiddenMarkovModel {
  return maximise(model, expectation(model, strings, counting));
}

/** The transitions as a constant per row and what the allowed entries have beyond it. */
interface SparseTransitions {
  readonly states: number;
  /** [S]: b_z. */
  readonly background: Float64Array;
  /** [S, Q]: A_z,(q',q'') − b_z for z = (q, q'); zero where q = q', from where nothing is allowed. */
  readonly extra: Float64Array;
}

function sparseTransitions({ automatonStates: states, transitions }: HiddenMarkovModel): SparseTransitions {
  const hidden = states * states;
  const background = new Float64Array(hidden);
  const extra = new Float64Array(hidden * states);
  for (let z = 0; z < hidden; z++) {
    const from = Math.floor(z / states);
    const via = z % states;
    // From an edge that enters `via`, an edge that leaves another state is forbidden.
    background[z] = transitions[z * hidden + ((via + 1) % states) * states]!;
    if (from === via) continue;
    for (let to = 0; to < states; to++) {
      extra[z * states + to] = transitions[z * hidden + via * states + to]! - background[z]!;
    }
  }
  return { states, background, extra };
}

/** next[z'] = Σ_z weights[z] A_zz'. */
function advance({ states, background, extra }: SparseTransitions, weights: Float64Array, next: Float64Array): void {
  let base = 0;
  for (let z = 0; z < weights.length; z++) base += weights[z]! * background[z]!;
  next.fill(base);
  for (let z = 0; z < weights.length; z++) {
    const weight = weights[z]!;
    if (weight === 0) continue;
    const target = (z % states) * states;
    for (let to = 0; to < states; to++) next[target + to]! += weight * extra[z * states + to]!;
  }
}

function expectation(
  model: HiddenMarkovModel,
  strings: readonly ArrayLike<number>[],
  counting: Counting,
): ExpectedCounts {
  const { automatonStates: states, symbols, emissions } = model;
  const hidden = states * states;
  const length = strings.reduce((longest, string) => Math.max(longest, string.length), 0);
  const possible = reachability(states, length).map((cost) => (cost === 0 ? 1 : 0));
  const sparse = sparseTransitions(model);
  const { background, extra } = sparse;

  const pairs = new Float64Array(hidden * hidden);
  const visits = new Float64Array(hidden);
  const start = new Float64Array(hidden);
  const counts = new Float64Array(hidden * symbols);
  const alpha = new Float64Array(length * hidden);
  const scale = new Float64Array(length);
  const beta = new Float64Array(hidden);
  const weighted = new Float64Array(hidden); // B_z(o_{t+1}) β_{t+1}(z) / c_{t+1}

  for (const [index, string] of strings.entries()) {
    const last = string.length - 1;

    for (let time = 0; time <= last; time++) {
      const now = time * hidden;
      const here = alpha.subarray(now, now + hidden);
      if (time === 0) here.set(model.start);
      else advance(sparse, alpha.subarray(now - hidden, now), here);
      let sum = 0;
      for (let z = 0; z < hidden; z++) {
        const reached = time === 0 ? 1 : possible[z * length + time]!;
        alpha[now + z]! *= reached * emissions[z * symbols + string[time]!]!;
        sum += alpha[now + z]!;
      }
      scale[time] = sum;
      for (let z = 0; z < hidden; z++) alpha[now + z]! /= sum;
    }

    for (let time = last; time >= 0; time--) {
      const now = time * hidden;
      if (time === last) beta.fill(1);
      else {
        let base = 0;
        for (let z = 0; z < hidden; z++) {
          weighted[z] = (emissions[z * symbols + string[time + 1]!]! * beta[z]!) / scale[time + 1]!;
          base += weighted[z]!;
        }
        for (let z = 0; z < hidden; z++) {
          const target = (z % states) * states;
          let later = base * background[z]!;
          for (let to = 0; to < states; to++) {
            later += extra[z * states + to]! * weighted[target + to]!;
            pairs[z * hidden + target + to]! +=
              alpha[now + z]! * (extra[z * states + to]! + background[z]!) * weighted[target + to]!;
          }
          beta[z] = later;
        }
      }
      if (time < length - 1) for (let z = 0; z < hidden; z++) beta[z]! *= possible[z * length + time]!;

      const counted = counting === "correct" || !isOverwritten(strings, index, time);
      for (let z = 0; z < hidden; z++) {
        const gamma = alpha[now + z]! * beta[z]!;
        if (time === 0) start[z]! += gamma;
        if (time < length - 1) visits[z]! += gamma;
        if (counted) counts[z * symbols + string[time]!]! += gamma;
      }
    }
  }
  return { pairs, visits, start, counts, strings: strings.length };
}

/** The hidden states after a prefix of a string, one step ahead: [S], proportional to their probabilities. */
function statesAhead(model: HiddenMarkovModel, prefix: ArrayLike<number>): Float64Array {
  const sparse = sparseTransitions(model);
  let ahead = model.start.slice();
  let next = new Float64Array(ahead.length);
  for (let time = 0; time < prefix.length; time++) {
    let sum = 0;
    for (let z = 0; z < ahead.length; z++) {
      ahead[z]! *= model.emissions[z * model.symbols + prefix[time]!]!;
      sum += ahead[z]!;
    }
    for (let z = 0; z < ahead.length; z++) ahead[z]! /= sum;
    advance(sparse, ahead, next);
    [ahead, next] = [next, ahead];
  }
  return ahead;
}

/** As `nextSymbol`, which is the definition. */
export function nextSymbolScaled(model: HiddenMarkovModel, prefix: ArrayLike<number>): Float64Array {
  const { symbols, emissions } = model;
  const row = new Float64Array(symbols);
  let sum = 0;
  for (const [z, weight] of statesAhead(model, prefix).entries()) {
    for (let symbol = 0; symbol < symbols; symbol++) row[symbol]! += weight * emissions[z * symbols + symbol]!;
    sum += weight;
  }
  return row.map((weight) => weight / sum);
}

export interface BaumWelchSettings {
  /** Q: more than any automaton of the benchmark has, as published. */
  readonly automatonStates?: number;
  readonly iterations?: number;
  readonly counting?: Counting;
  /**
   * "position": a fresh random start at every position, as published (seconds for one problem). "string": a fresh fit
   * at the end of each string, used throughout the next one (some twenty times faster).
   */
  readonly refit?: "position" | "string";
  readonly seed?: number;
}

/** [n, 20]: row i is the answer of a model fitted to tokens[0..i]. */
export function baumWelchProbabilities(
  tokens: Int32Array,
  { automatonStates = 12, iterations = 10, counting = "correct", refit = "position", seed = 0 }: BaumWelchSettings = {},
): Float64Array {
  const rng = Rng.fromSeed(seed).fork("baum-welch");
  const hidden = automatonStates ** 2;
  const draw = (at: number) =>
    initialModel(
      automatonStates,
      SYMBOLS,
      rng
        .fork(at)
        .fork("transitions")
        .uniforms(hidden * hidden),
      rng
        .fork(at)
        .fork("emissions")
        .uniforms(hidden * SYMBOLS),
    );
  const rows = new Float64Array(tokens.length * SYMBOLS);
  const strings: number[][] = [[]];
  let model: HiddenMarkovModel | undefined;
  for (const [at, token] of tokens.entries()) {
    const ends = token === SEPARATOR;
    if (!ends) strings.at(-1)!.push(token);
    if (model === undefined || (refit === "string" ? ends : !ends)) {
      model = draw(at);
      for (let step = 0; step < iterations; step++) model = baumWelchStepScaled(model, strings, counting);
    }
    if (ends) strings.push([]);
    rows.set(nextSymbolScaled(model, strings.at(-1)!), at * SYMBOLS);
  }
  return rows;
}

/** Baum–Welch as a competitor. */
export function baumWelchPredictor(settings: BaumWelchSettings = {}): Predictor {
  return probabilityPredictor((tokens) => baumWelchProbabilities(tokens, settings));
}
