/**
 * Baum–Welch as a reference learner of one problem: a hidden Markov model whose hidden states are the edges z = (q, q')
 * of an automaton of Q states (S = Q² of them, z = q·Q + q'), each emitting one symbol, fitted by expectation
 * maximisation to the strings seen so far. Everything is in the log domain, with the constants and masks of RegBench's
 * public code:
 *
 *   transitions   (q, q') → (q', q'') only, and never from or to a self loop of the automaton; the rest is held at ε
 *   reachability  a state may be visited at time τ only if it is among {0}, {1…5}, then those of τ − 1, the next five
 *                 higher ones and 0; a hidden state elsewhere costs 9999
 *
 * That code adds up the expected counts of symbols with an indexed assignment that does not accumulate: of several
 * strings with the same symbol at the same place only the last counts. `counting: "published"` keeps that.
 */

const { exp, log } = Math;

const EPSILON = 1e-5;
/** Added to the log weight of what is excluded. */
const EXCLUDED = -9999;
/** Higher states that become possible at each step. */
const FAN_OUT = 5;

export type Counting = "correct" | "published";

/** Probabilities, row-major; rows sum to one. */
export interface HiddenMarkovModel {
  /** Q, the states of the automaton; there are S = Q² hidden states. */
  readonly automatonStates: number;
  readonly symbols: number;
  /** [S, S]. */
  readonly transitions: Float64Array;
  /** [S, symbols]. */
  readonly emissions: Float64Array;
  /** [S]. */
  readonly start: Float64Array;
}

/** [S, S]: 1 where a transition is held at ε. */
export function forbiddenTransitions(automatonStates: number): Uint8Array {
  const hidden = automatonStates ** 2;
  const forbidden = new Uint8Array(hidden * hidden).fill(1);
  for (let from = 0; from < automatonStates; from++) {
    for (let via = 0; via < automatonStates; via++) {
      if (from === via) continue;
      const row = (from * automatonStates + via) * hidden;
      for (let to = 0; to < automatonStates; to++) forbidden[row + via * automatonStates + to] = 0;
    }
  }
  return forbidden;
}

/** [S, length]: 0 where a hidden state is possible at a time, −9999 where not. */
export function reachability(automatonStates: number, length: number): Float64Array {
  const mask = new Float64Array(automatonStates ** 2 * length).fill(EXCLUDED);
  const possible: boolean[][] = [];
  for (let time = 0; time <= length; time++) {
    possible.push(
      Array.from({ length: automatonStates }, (_, state) => {
        if (time === 0) return state === 0;
        if (time === 1) return state >= 1 && state <= FAN_OUT;
        const before = possible[time - 1]!;
        const highest = before.lastIndexOf(true);
        return state === 0 || before[state]! || (state > highest && state <= highest + FAN_OUT);
      }),
    );
  }
  for (let from = 0; from < automatonStates; from++) {
    for (let to = 0; to < automatonStates; to++) {
      if (from === to) continue;
      for (let time = 0; time < length; time++) {
        if (possible[time]![from] && possible[time + 1]![to]) mask[(from * automatonStates + to) * length + time] = 0;
      }
    }
  }
  return mask;
}

function normaliseRows(matrix: Float64Array, columns: number): Float64Array {
  for (let row = 0; row < matrix.length; row += columns) {
    let sum = 0;
    for (let at = row; at < row + columns; at++) sum += matrix[at]!;
    for (let at = row; at < row + columns; at++) matrix[at] = matrix[at]! / sum;
  }
  return matrix;
}

/**
 * The model to start from: uniform draws + ε, forbidden transitions ε, and a start in one of the edges of state 0.
 *
 * @param transitionDraw [S, S] uniform in [0, 1)
 * @param emissionDraw [S, symbols]
 */
export function initialModel(
  automatonStates: number,
  symbols: number,
  transitionDraw: ArrayLike<number>,
  emissionDraw: ArrayLike<number>,
): HiddenMarkovModel {
  const hidden = automatonStates ** 2;
  const forbidden = forbiddenTransitions(automatonStates);
  const transitions = Float64Array.from(forbidden, (no, at) => (no ? EPSILON : transitionDraw[at]! + EPSILON));
  const emissions = Float64Array.from(emissionDraw, (draw) => draw + EPSILON);
  const start = Float64Array.from({ length: hidden }, (_, z) => (z > 0 && z < automatonStates ? 1 - EPSILON : EPSILON));
  return {
    automatonStates,
    symbols,
    transitions: normaliseRows(transitions, hidden),
    emissions: normaliseRows(emissions, symbols),
    start: normaliseRows(start, hidden),
  };
}

/** log Σ exp of `count` terms. */
function logSumExp(count: number, term: (at: number) => number): number {
  let most = -Infinity;
  for (let at = 0; at < count; at++) {
    const value = term(at);
    if (value > most) most = value;
  }
  if (most === -Infinity) return most;
  let sum = 0;
  for (let at = 0; at < count; at++) sum += exp(term(at) - most);
  return most + log(sum);
}

/** α_t of one string, without masks: [length, S]. */
function forward(model: HiddenMarkovModel, string: ArrayLike<number>, mask?: (z: number, time: number) => number) {
  const hidden = model.start.length;
  const logTransitions = model.transitions.map(log);
  const logEmissions = model.emissions.map(log);
  const alpha = new Float64Array(string.length * hidden);
  for (let z = 0; z < hidden; z++) alpha[z] = log(model.start[z]!) + logEmissions[z * model.symbols + string[0]!]!;
  for (let time = 1; time < string.length; time++) {
    const before = (time - 1) * hidden;
    for (let z = 0; z < hidden; z++) {
      alpha[time * hidden + z] =
        logEmissions[z * model.symbols + string[time]!]! +
        logSumExp(hidden, (from) => alpha[before + from]! + logTransitions[from * hidden + z]!) +
        (mask?.(z, time) ?? 0);
    }
  }
  return alpha;
}

/** Whether a later string has the same symbol at the same place, so that the published code forgets this one. */
export function isOverwritten(strings: readonly ArrayLike<number>[], index: number, time: number): boolean {
  for (let later = index + 1; later < strings.length; later++) {
    if (strings[later]![time] === strings[index]![time]) return true;
  }
  return false;
}

/**
 * One iteration of expectation maximisation on whole strings. Follows the definitions; `baum-welch-scaled.ts` is the
 * fast form.
 *
 * @param strings symbol numbers 1 … symbols − 1; symbol 0 is padding
 */
export function baumWelchStep(
  model: HiddenMarkovModel,
  strings: readonly ArrayLike<number>[],
  counting: Counting = "correct",
): HiddenMarkovModel {
  const { automatonStates, symbols } = model;
  const hidden = model.start.length;
  const length = strings.reduce((longest, string) => Math.max(longest, string.length), 0);
  const possible = reachability(automatonStates, length);
  const mask = (z: number, time: number) => possible[z * length + time]!;
  const logTransitions = model.transitions.map(log);
  const logEmissions = model.emissions.map(log);

  const pairs = new Float64Array(hidden * hidden); // Σ_t ξ_t
  const visits = new Float64Array(hidden); // Σ_{t < T−1} γ_t
  const start = new Float64Array(hidden);
  const counts = new Float64Array(hidden * symbols);

  for (const [index, string] of strings.entries()) {
    const last = string.length - 1;
    const alpha = forward(model, string, mask);
    const beta = new Float64Array(string.length * hidden);
    for (let time = last; time >= 0; time--) {
      for (let z = 0; z < hidden; z++) {
        const after = (time + 1) * hidden;
        const later =
          time === last
            ? 0
            : logSumExp(
                hidden,
                (to) =>
                  logTransitions[z * hidden + to]! +
                  logEmissions[to * symbols + string[time + 1]!]! +
                  beta[after + to]!,
              );
        beta[time * hidden + z] = later + (time === length - 1 ? 0 : mask(z, time));
      }
    }
    const total = logSumExp(hidden, (z) => alpha[last * hidden + z]!);
    for (let time = 0; time <= last; time++) {
      const gamma = Float64Array.from({ length: hidden }, (_, z) =>
        exp(alpha[time * hidden + z]! + beta[time * hidden + z]! - total),
      );
      const counted = counting === "correct" || !isOverwritten(strings, index, time);
      for (let z = 0; z < hidden; z++) {
        if (time === 0) start[z]! += gamma[z]!;
        if (time < length - 1) visits[z]! += gamma[z]!;
        if (counted) counts[z * symbols + string[time]!]! += gamma[z]!;
        if (time === last) continue;
        for (let to = 0; to < hidden; to++) {
          pairs[z * hidden + to]! += exp(
            alpha[time * hidden + z]! +
              logTransitions[z * hidden + to]! +
              logEmissions[to * symbols + string[time + 1]!]! +
              beta[(time + 1) * hidden + to]! -
              total,
          );
        }
      }
    }
  }
  return maximise(model, { pairs, visits, start, counts, strings: strings.length });
}

/** What one expectation step gathers. */
export interface ExpectedCounts {
  /** [S, S] expected transitions. */
  readonly pairs: Float64Array;
  /** [S] expected visits before the last place of the longest string. */
  readonly visits: Float64Array;
  /** [S] expected starts. */
  readonly start: Float64Array;
  /** [S, symbols] expected emissions. */
  readonly counts: Float64Array;
  readonly strings: number;
}

/** The model of these expected counts. */
export function maximise(model: HiddenMarkovModel, expected: ExpectedCounts): HiddenMarkovModel {
  const { automatonStates, symbols } = model;
  const hidden = model.start.length;
  const forbidden = forbiddenTransitions(automatonStates);
  const transitions = new Float64Array(hidden * hidden);
  for (let z = 0; z < hidden; z++) {
    const visits = expected.visits[z]! + EPSILON;
    for (let at = z * hidden; at < (z + 1) * hidden; at++) {
      transitions[at] = (forbidden[at] ? EPSILON : expected.pairs[at]! / visits) + EPSILON;
    }
  }
  const emissions = expected.counts.map((count, at) => (at % symbols === 0 ? EPSILON : count + EPSILON));
  const start = expected.start.map((count, z) =>
    z === 0 || z >= automatonStates ? EPSILON : count / expected.strings + EPSILON,
  );
  return {
    automatonStates,
    symbols,
    transitions: normaliseRows(transitions, hidden),
    emissions: normaliseRows(emissions, symbols),
    start: normaliseRows(start, hidden),
  };
}

/** [symbols]: the distribution of what follows a prefix of a string; of its first symbol if the prefix is empty. */
export function nextSymbol(model: HiddenMarkovModel, prefix: ArrayLike<number>): Float64Array {
  const { symbols } = model;
  const hidden = model.start.length;
  let states = model.start;
  if (prefix.length > 0) {
    const alpha = forward(model, prefix).subarray(-hidden);
    const most = alpha.reduce((a, b) => Math.max(a, b));
    const weights = alpha.map((value) => exp(value - most));
    states = new Float64Array(hidden);
    for (let from = 0; from < hidden; from++) {
      for (let to = 0; to < hidden; to++) states[to]! += weights[from]! * model.transitions[from * hidden + to]!;
    }
  }
  const scores = new Float64Array(symbols);
  for (let z = 0; z < hidden; z++) {
    for (let symbol = 0; symbol < symbols; symbol++)
      scores[symbol]! += states[z]! * model.emissions[z * symbols + symbol]!;
  }
  return normaliseRows(scores, symbols);
}
