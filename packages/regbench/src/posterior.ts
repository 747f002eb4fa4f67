/**
 * The Bayes-optimal reader: it knows how RegBench draws its languages, not which one was drawn, and predicts with the
 * posterior over all automata of the class. No reader of the text alone has a lower expected loss.
 *
 * A hypothesis is the part of an automaton that the text has used: states in order of discovery, the edges taken. All
 * else is integrated out in closed form. With m states discovered, e_q edges known at state q, N_q letters emitted
 * there, w letters seen, and n nodes, alphabet size a, degree k uniform in their ranges, a hypothesis weighs
 *
 *   Σ_n (n−1)(n−2)…(n−m+1) / Π_q (n−1)…(n−e_q)                      which nodes were discovered, where edges lead
 *   · Σ_a C(L−w, a−w) / C(L, a) · Π_q f_a(e_q, N_q)                  L letters in use
 *   f_a(e, N) = mean over k of C(a−e, k−e) / C(a, k) · k^−N           which letters leave q, and the uniform walk
 *
 * A letter seen for the first time at a state splits a hypothesis into one per possible target: every state discovered
 * that q neither is nor leads to, and a fresh one. A fourth letter at one state kills it. The number of hypotheses can
 * grow without bound, so only the heaviest are kept (if all are refuted, the text is read again, shortest strings
 * first): the answer is exact while nothing was dropped (small classes,
 * short texts: tested against explicit enumeration) and an estimate of the ceiling otherwise.
 */
import { type AutomatonClass, publishedClass } from "./automaton.js";
import { statePath } from "./exact-answers.js";
import { ngramProbabilities } from "./ngram.js";
import { type Predictor, probabilityPredictor } from "./predictor.js";
import type { Problem } from "./problem.js";
import { SEPARATOR, SYMBOLS } from "./vocabulary.js";

const { exp, log } = Math;

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity;
  let sum = 0;
  for (let factor = 1; factor <= k; factor++) sum += log(n - k + factor) - log(factor);
  return sum;
}

/** The ratios of f_a that one more letter causes, for every alphabet size. */
class EmissionPrior {
  readonly alphabets: readonly number[];
  readonly mostEdges: number;
  readonly #class: AutomatonClass;
  readonly #logs = new Map<number, Float64Array>();
  readonly #known = new Map<number, Float64Array>();
  readonly #fresh = new Map<number, Float64Array>();

  constructor(settings: AutomatonClass) {
    this.#class = settings;
    this.alphabets = inclusive(settings.alphabet);
    this.mostEdges = settings.degree[1];
  }

  /** [alphabets]: log f_a(e, N). */
  #log(edges: number, visits: number): Float64Array {
    return remember(this.#logs, visits * 32 + edges, () =>
      Float64Array.from(this.alphabets, (alphabet) => {
        const terms = inclusive(this.#class.degree).map(
          (k) => logChoose(alphabet - edges, k - edges) - logChoose(alphabet, k) - visits * log(k),
        );
        const most = Math.max(...terms);
        if (most === -Infinity) return most;
        return most + log(terms.reduce((sum, term) => sum + exp(term - most), 0));
      }),
    );
  }

  /** [alphabets]: f_a(e, N + 1) / f_a(e, N), the probability of one particular known letter. */
  knownLetter(edges: number, visits: number): Float64Array {
    return remember(this.#known, visits * 32 + edges, () =>
      ratios(this.#log(edges, visits + 1), this.#log(edges, visits)),
    );
  }

  /** [alphabets]: f_a(e + 1, N + 1) / f_a(e, N), the probability of one particular new letter of the alphabet. */
  newLetter(edges: number, visits: number): Float64Array {
    return remember(this.#fresh, visits * 32 + edges, () =>
      ratios(this.#log(edges + 1, visits + 1), this.#log(edges, visits)),
    );
  }

  /** The probability that a particular letter nobody has seen is in the alphabet. */
  unseenLetter(alphabet: number, seen: number): number {
    return seen >= this.#class.letters ? 0 : (alphabet - seen) / (this.#class.letters - seen);
  }
}

function inclusive([low, high]: readonly [number, number]): number[] {
  return Array.from({ length: high - low + 1 }, (_, index) => low + index);
}

function ratios(above: Float64Array, below: Float64Array): Float64Array {
  return above.map((value, at) => (below[at] === -Infinity ? 0 : exp(value - below[at]!)));
}

function remember<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}

function total(values: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum;
}

interface Hypothesis {
  /** States discovered. */
  states: number;
  /** Where the text is now. */
  state: number;
  /** [nodes, 20]: targets of the known edges, −1 elsewhere. */
  readonly transitions: Int8Array;
  /** [nodes]: e_q and N_q. */
  readonly edges: Uint8Array;
  readonly visits: Uint16Array;
  /** The weight is Σ overNodes · Σ overAlphabets. */
  readonly overNodes: Float64Array;
  readonly overAlphabets: Float64Array;
  weight: number;
}

/** One step of a hypothesis, before it is known to be worth a copy. */
interface Way {
  readonly from: Hypothesis;
  readonly target: number;
  readonly isNew: boolean;
  readonly weight: number;
}

/** With n nodes, the probability that the next edge of a state with e known ones leads to one particular other state. */
function oldTarget(n: number, edges: number): number {
  return n - 1 - edges > 0 ? 1 / (n - 1 - edges) : 0;
}

/** … and that it leads to any of those not yet discovered. */
function freshTarget(n: number, edges: number, discovered: number): number {
  return Math.max(0, n - discovered) * oldTarget(n, edges);
}

export interface PosteriorSettings {
  readonly class?: AutomatonClass;
  /** Most hypotheses kept after a token; more cost time and are rarely all wrong. */
  readonly hypotheses?: number;
  /** Hypotheses with less than this share of the weight are dropped. */
  readonly negligible?: number;
}

export interface PosteriorAnswer {
  /** [n, 20]. */
  readonly rows: Float64Array;
  /** True if no hypothesis was ever dropped. */
  readonly exact: boolean;
  /** Positions answered by 3-grams because every hypothesis kept had turned out wrong, also on second reading. */
  readonly lost: number;
}

/**
 * Row i is P(next letter | tokens[0..i], the next token is a letter).
 *
 * @throws RangeError if the text uses letters outside the class
 */
export function posteriorAnswer(
  tokens: Int32Array,
  { class: settings = publishedClass, hypotheses: limit = 3000, negligible = 1e-9 }: PosteriorSettings = {},
): PosteriorAnswer {
  const prior = new EmissionPrior(settings);
  const nodes = inclusive(settings.nodes);
  const mostNodes = settings.nodes[1];
  const rows = new Float64Array(tokens.length * SYMBOLS);
  let seen = new Set<number>();
  let kept: Hypothesis[] = [];
  let exact = true;
  startText();

  for (let at = 0; at < tokens.length; at++) {
    if (!read(tokens[at]!) && !readAgain(tokens.subarray(0, at + 1))) {
      rows.set(ngramProbabilities(tokens, 3).subarray(at * SYMBOLS), at * SYMBOLS);
      return { rows, exact, lost: tokens.length - at };
    }
    predict(rows.subarray(at * SYMBOLS, (at + 1) * SYMBOLS));
  }
  return { rows, exact, lost: 0 };

  function startText(): void {
    seen = new Set();
    kept = [
      {
        states: 1,
        state: 0,
        transitions: new Int8Array(mostNodes * SYMBOLS).fill(-1),
        edges: new Uint8Array(mostNodes),
        visits: new Uint16Array(mostNodes),
        overNodes: new Float64Array(nodes.length).fill(1),
        overAlphabets: new Float64Array(prior.alphabets.length).fill(1),
        weight: 1,
      },
    ];
  }

  /** Takes in one token; false if it refutes every hypothesis kept. */
  function read(token: number): boolean {
    if (token === SEPARATOR) {
      for (const hypothesis of kept) hypothesis.state = 0;
      return true;
    }
    if (token < 1 || token > settings.letters) throw new RangeError(`token ${token} is no letter of the class`);
    const ways = kept.flatMap((hypothesis) => follow(hypothesis, token));
    seen.add(token);
    const survivors = heaviest(ways);
    if (survivors.length < ways.length) exact = false;
    kept = survivors.map((way) => take(way, token));
    rescale(kept);
    return kept.length > 0;
  }

  /**
   * Starts anew with the shortest strings first. The posterior does not depend on their order, but the number of
   * hypotheses on the way does: short strings settle the surroundings of the initial state while there are few.
   */
  function readAgain(text: Int32Array): boolean {
    const strings: number[][] = [[]];
    for (const token of text) {
      if (token === SEPARATOR) strings.push([]);
      else strings.at(-1)!.push(token);
    }
    const current = strings.pop()!;
    strings.sort((a, b) => a.length - b.length);
    startText();
    return [...strings, current].every((string) => read(SEPARATOR) && string.every(read));
  }

  /** The ways a letter lets a hypothesis go on: along a known edge, or along a new edge to one of several targets. */
  function follow(from: Hypothesis, letter: number): Way[] {
    const { state, transitions, overNodes, overAlphabets } = from;
    const edges = from.edges[state]!;
    const visits = from.visits[state]!;
    const known = transitions[state * SYMBOLS + letter]!;
    if (known < 0 && edges === prior.mostEdges) return [];

    const ratio = known < 0 ? prior.newLetter(edges, visits) : prior.knownLetter(edges, visits);
    const isUnseen = !seen.has(letter);
    for (let index = 0; index < ratio.length; index++) {
      overAlphabets[index]! *= ratio[index]!;
      if (isUnseen) overAlphabets[index]! *= prior.unseenLetter(prior.alphabets[index]!, seen.size);
    }
    const alphabets = total(overAlphabets);
    if (known >= 0) return [{ from, target: known, isNew: false, weight: total(overNodes) * alphabets }];

    let oldNodes = 0;
    let freshNodes = 0;
    for (let index = 0; index < overNodes.length; index++) {
      oldNodes += overNodes[index]! * oldTarget(nodes[index]!, edges);
      freshNodes += overNodes[index]! * freshTarget(nodes[index]!, edges, from.states);
    }
    const targets = transitions.subarray(state * SYMBOLS, (state + 1) * SYMBOLS);
    const ways: Way[] = [];
    for (let target = 0; target < from.states && oldNodes > 0; target++) {
      if (target === state || targets.includes(target)) continue;
      ways.push({ from, target, isNew: true, weight: oldNodes * alphabets });
    }
    if (freshNodes > 0) {
      ways.push({ from, target: from.states, isNew: true, weight: freshNodes * alphabets });
    }
    return ways;
  }

  /** The hypothesis after a step; a known edge changes it in place. */
  function take({ from, target, isNew, weight }: Way, letter: number): Hypothesis {
    const { state } = from;
    if (!isNew) {
      from.visits[state]!++;
      from.state = target;
      from.weight = weight;
      return from;
    }
    const edges = from.edges[state]!;
    const isFresh = target === from.states;
    const to: Hypothesis = {
      states: isFresh ? from.states + 1 : from.states,
      state: target,
      transitions: from.transitions.slice(),
      edges: from.edges.slice(),
      visits: from.visits.slice(),
      overNodes: from.overNodes.slice(),
      overAlphabets: from.overAlphabets.slice(),
      weight,
    };
    to.transitions[state * SYMBOLS + letter] = target;
    to.edges[state]!++;
    to.visits[state]!++;
    for (let index = 0; index < nodes.length; index++) {
      to.overNodes[index]! *= isFresh
        ? freshTarget(nodes[index]!, edges, from.states)
        : oldTarget(nodes[index]!, edges);
    }
    return to;
  }

  /** Drops what is impossible or negligible, then the lightest beyond the limit. */
  function heaviest(ways: Way[]): Way[] {
    let sum = 0;
    for (const { weight } of ways) sum += weight;
    const survivors = ways.filter(({ weight }) => weight > negligible * sum);
    if (survivors.length <= limit) return survivors;
    return survivors.sort((a, b) => b.weight - a.weight).slice(0, limit);
  }

  /** Makes the weights sum to one. */
  function rescale(hypotheses: readonly Hypothesis[]): void {
    let sum = 0;
    for (const { weight } of hypotheses) sum += weight;
    for (const hypothesis of hypotheses) {
      hypothesis.weight /= sum;
      for (let index = 0; index < hypothesis.overAlphabets.length; index++) hypothesis.overAlphabets[index]! /= sum;
    }
  }

  function predict(row: Float64Array): void {
    for (const { state, transitions, edges, visits, overNodes, overAlphabets } of kept) {
      const edge = edges[state]!;
      const nodesWeight = total(overNodes);
      const known = prior.knownLetter(edge, visits[state]!);
      const fresh = edge < prior.mostEdges ? prior.newLetter(edge, visits[state]!) : undefined;
      let ofKnown = 0;
      let ofSeen = 0;
      let ofUnseen = 0;
      for (let index = 0; index < overAlphabets.length; index++) {
        const weight = overAlphabets[index]! * nodesWeight;
        ofKnown += weight * known[index]!;
        if (fresh === undefined) continue;
        ofSeen += weight * fresh[index]!;
        ofUnseen += weight * fresh[index]! * prior.unseenLetter(prior.alphabets[index]!, seen.size);
      }
      for (let letter = 1; letter <= settings.letters; letter++) {
        if (transitions[state * SYMBOLS + letter]! >= 0) row[letter]! += ofKnown;
        else row[letter]! += seen.has(letter) ? ofSeen : ofUnseen;
      }
    }
  }
}

/** The Bayes-optimal reader as a competitor, within its number of hypotheses. */
export function posteriorPredictor(settings: PosteriorSettings = {}): Predictor {
  return probabilityPredictor((tokens) => posteriorAnswer(tokens, settings).rows);
}

/**
 * An exact ceiling: the Bayes-optimal reader that is also told the state of the automaton (as drawn) at every position,
 * and so needs to infer only which letters leave each state. It has one hypothesis, hence no limit to reach. Since it
 * knows more, no reader of the text alone has a lower expected loss.
 */
export function stateAwareProbabilities(
  tokens: Int32Array,
  states: Int32Array,
  settings: AutomatonClass = publishedClass,
): Float64Array {
  const prior = new EmissionPrior(settings);
  const rows = new Float64Array(tokens.length * SYMBOLS);
  const seen = new Set<number>();
  const lettersOf = Array.from({ length: settings.nodes[1] }, () => new Set<number>());
  const visits = new Uint16Array(settings.nodes[1]);
  let overAlphabets = new Float64Array(prior.alphabets.length).fill(1);
  let before = 0;
  for (let at = 0; at < tokens.length; at++) {
    const letter = tokens[at]!;
    if (letter !== SEPARATOR) {
      const known = lettersOf[before]!;
      const ratio = known.has(letter)
        ? prior.knownLetter(known.size, visits[before]!)
        : prior.newLetter(known.size, visits[before]!);
      overAlphabets = overAlphabets.map(
        (weight, index) =>
          weight * ratio[index]! * (seen.has(letter) ? 1 : prior.unseenLetter(prior.alphabets[index]!, seen.size)),
      );
      const sum = total(overAlphabets);
      overAlphabets = overAlphabets.map((weight) => weight / sum);
      known.add(letter);
      seen.add(letter);
      visits[before]!++;
    }
    const state = states[at]!;
    before = state;
    const known = lettersOf[state]!;
    const again = prior.knownLetter(known.size, visits[state]!);
    const fresh = known.size < prior.mostEdges ? prior.newLetter(known.size, visits[state]!) : undefined;
    for (let next = 1; next <= settings.letters; next++) {
      let sum = 0;
      for (let index = 0; index < overAlphabets.length; index++) {
        if (known.has(next)) sum += overAlphabets[index]! * again[index]!;
        else if (fresh !== undefined) {
          const inAlphabet = seen.has(next) ? 1 : prior.unseenLetter(prior.alphabets[index]!, seen.size);
          sum += overAlphabets[index]! * fresh[index]! * inAlphabet;
        }
      }
      rows[at * SYMBOLS + next] = sum;
    }
  }
  return rows;
}

/** The state-aware reader as a competitor; it recognises a problem by its tokens. */
export function stateAwarePredictor(
  problems: readonly Problem[],
  settings: AutomatonClass = publishedClass,
): Predictor {
  const automata = new Map(problems.map((problem) => [problem.input.join(), problem.sampled]));
  return probabilityPredictor((tokens) => {
    const automaton = automata.get(tokens.join());
    if (automaton === undefined) throw new RangeError("the state-aware reader was asked about an unknown problem");
    return stateAwareProbabilities(tokens, statePath(tokens, automaton), settings);
  });
}
