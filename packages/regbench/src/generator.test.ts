import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { type Automaton, outgoing, publishedClass, sampleAutomaton, step } from "./automaton.js";
import { canonicalForm, minimise } from "./minimise.js";
import { buildProblems } from "./problem.js";
import { generatorStatistics } from "./testing/fixtures.js";
import { chiSquare, countValues, meanDifference, moments, shareDifference } from "./testing/statistics.js";
import { IGNORED, SEPARATOR } from "./vocabulary.js";

// Twenty-one comparisons of 3,000 problems of ours with 3,000 of the published generator, each with an error rate of 1e-4:
// a correct generator passes all with probability 0.998. The seed is fixed.
const count = 3000;
const problems = buildProblems({ environments: count, seed: 1, valid: 0, test: 0 }).train;
const theirs = generatorStatistics;
const states = (automaton: Automaton) => Array.from({ length: automaton.states }, (_, state) => state);
const degrees = (automata: Automaton[]) =>
  automata.flatMap((automaton) => states(automaton).map((state) => outgoing(automaton, state).length));
const meanOf = (shares: Readonly<Record<string, number>>) =>
  Object.entries(shares).reduce((sum, [value, share]) => sum + Number(value) * share, 0);
const letters = (automaton: Automaton) =>
  new Set(states(automaton).flatMap((state) => outgoing(automaton, state))).size;
const strings = (text: Int32Array) => text.join(",").split(`,${SEPARATOR},`);

const raw = problems.map((problem) => problem.sampled);
const minimised = problems.map((problem) => problem.automaton);
const edges = minimised.flatMap((automaton) =>
  states(automaton).flatMap((state) =>
    outgoing(automaton, state).map((symbol) => ({ automaton, state, symbol, target: step(automaton, state, symbol) })),
  ),
);
const theirEdges = count * theirs.minimised.states_summary.mean * meanOf(theirs.minimised.out_degree);

describe("the generator of problems, beside 3,000 problems of the published one", () => {
  it.each([
    ["raw states", countValues(raw.map((one) => one.states)), theirs.raw.states, count],
    ["raw degrees", countValues(degrees(raw)), theirs.raw.out_degree, count * meanOf(theirs.raw.states)],
    [
      "reachable states",
      countValues(raw.map((one) => canonicalForm(one).states)),
      theirs.raw.states_reachable_from_0,
      count,
    ],
    ["states", countValues(minimised.map((one) => one.states)), theirs.minimised.states, count],
    [
      "degrees",
      countValues(degrees(minimised)),
      theirs.minimised.out_degree,
      count * theirs.minimised.states_summary.mean,
    ],
    [
      "degree of the initial state",
      countValues(minimised.map((one) => outgoing(one, 0).length)),
      theirs.minimised.out_degree_initial,
      count,
    ],
    ["letters used", countValues(minimised.map(letters)), theirs.minimised.symbols_used, count],
    [
      "strings",
      countValues(problems.map(({ text }) => strings(text).length)),
      theirs.sequences.words_per_sequence,
      count,
    ],
  ])("has the same distribution of %s", (_, counts, shares, size) =>
    expect(chiSquare(counts, shares, size)).toBeLessThan(1),
  );

  it.each([
    ["states", minimised.map((one) => one.states), theirs.minimised.states_summary],
    ["letters used", minimised.map(letters), theirs.minimised.symbols_used_summary],
    ["input tokens", problems.map(({ input }) => input.length), theirs.sequences.input_tokens],
    [
      "labels",
      problems.map(({ labels }) => labels.filter((label) => label !== IGNORED).length),
      theirs.sequences.labels_counted_per_sequence,
    ],
    [
      "letters in a string",
      problems.flatMap(({ text }) => strings(text).map((one) => one.split(",").length)),
      theirs.sequences.word_length,
    ],
  ])("has the same mean number of %s", (_, values, summary) =>
    expect(meanDifference(moments(values), summary)).toBeLessThan(1),
  );

  it.each([0, 1, 2, 3, 4])("has the same quantile %# of sequence lengths", (index) => {
    const level = [0.05, 0.25, 0.5, 0.75, 0.95][index]!;
    const below =
      problems.filter(({ input }) => input.length <= theirs.sequences.input_tokens.q[index]!).length / count;
    // Lengths are whole numbers, so the share at the quantile itself may lie up to one value's share above the level.
    expect(shareDifference(below, count, level, count)).toBeLessThan(1);
  });

  it("has the same share of self loops, parallel edges and automata that can return to the start", () => {
    const loops = edges.filter(({ state, target }) => state === target).length / edges.length;
    expect(shareDifference(loops, edges.length, theirs.minimised.self_loop_edges_fraction, theirEdges)).toBeLessThan(1);
    const parallel =
      edges.filter(({ automaton, state, symbol, target }) =>
        outgoing(automaton, state).some((other) => other < symbol && step(automaton, state, other) === target),
      ).length / edges.length;
    expect(shareDifference(parallel, edges.length, theirs.minimised.parallel_edges_fraction, theirEdges)).toBeLessThan(
      1,
    );
    const returning =
      minimised.filter((automaton) =>
        states(automaton).every((state) => {
          const { states: reached } = canonicalForm({ ...automaton, initial: state });
          return reached === automaton.states;
        }),
      ).length / count;
    expect(shareDifference(returning, count, theirs.minimised.all_states_can_return_to_initial, count)).toBeLessThan(1);
  });

  it("would notice a fourth outgoing edge, a thirteenth node or strings of fifty letters", () => {
    const rng = Rng.fromSeed(1);
    const wrong = (settings: object) =>
      Array.from({ length: count }, (_, at) => sampleAutomaton(rng.fork(at), { ...publishedClass, ...settings }));
    const moreEdges = countValues(degrees(wrong({ nodes: [5, 12], degree: [1, 4] })));
    expect(chiSquare(moreEdges, theirs.raw.out_degree, count * meanOf(theirs.raw.states))).toBeGreaterThan(1);
    const moreNodes = countValues(wrong({ nodes: [4, 13] }).map((automaton) => automaton.states));
    expect(chiSquare(moreNodes, theirs.raw.states, count)).toBeGreaterThan(1);
    const longer = Array.from({ length: theirs.sequences.word_length.n }, () => rng.integer(1, 51));
    expect(meanDifference(moments(longer), theirs.sequences.word_length)).toBeGreaterThan(1);
  });

  it("draws raw automata within the class: no self loop, distinct targets", () => {
    const outside = raw.filter((automaton) => {
      const targetsOf = (state: number) => outgoing(automaton, state).map((symbol) => step(automaton, state, symbol));
      const proper = states(automaton).every((state) => {
        const targets = targetsOf(state);
        return !targets.includes(state) && new Set(targets).size === targets.length;
      });
      const size = automaton.states >= publishedClass.nodes[0] && automaton.states <= publishedClass.nodes[1];
      return !(proper && size);
    });
    expect(outside).toEqual([]);
  });

  it("minimises to a canonical form, which minimising leaves alone", () => {
    for (const automaton of minimised.slice(0, 300)) expect(minimise(automaton)).toEqual(automaton);
  });
});
