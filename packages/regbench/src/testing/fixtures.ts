/** Golden numbers computed with RegBench's published code; the reference ran in float64 and was stored as float32. */
import { readFileSync } from "node:fs";
import { type Automaton, automatonFromEdges, type Edges } from "../automaton.js";
import { type Problem, problemOf } from "../problem.js";
import { encode } from "../vocabulary.js";

const file = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));

export interface StateTable {
  readonly initial: number;
  readonly transitions: Readonly<Record<string, Edges>>;
}

export interface PublishedMetrics {
  readonly model_ngram_diff: number;
  readonly model_dfa_diff: number;
  readonly dfa_ngram_diff: number;
  readonly n_gram_loss: number;
  readonly dfa_accuracy: number;
  readonly char_labels: readonly string[];
  readonly loss: number;
  readonly n_gram_dfa_acc_bounds_over_ties: readonly [number, number];
  readonly n_gram_dfa_acc_exact_ties_to_smallest_id: number;
}

export interface PublishedCase extends StateTable {
  readonly name: string;
  readonly canonical_bfs: readonly Edges[];
  readonly raw?: StateTable;
  readonly text: string;
  readonly input: string;
  readonly metrics: PublishedMetrics & { readonly dfa_accuracy_counted_positions: number };
  readonly tvd: { readonly mean_half_l1_all_positions: number; readonly mean_half_l1_label_positions: number };
}

export interface PublishedNumbers {
  readonly vocab: readonly string[];
  readonly dfas: readonly PublishedCase[];
  readonly batch_of_all_cases: PublishedMetrics;
  readonly ngram_small: readonly { input: string; N: number; rows: readonly Readonly<Record<string, number>>[] }[];
  readonly baum_welch: Readonly<
    Record<"clash" | "no_clash", { vocab: readonly string[]; words: readonly string[]; dfa_states: number }>
  >;
}

export const published = JSON.parse(file("published.json").toString()) as PublishedNumbers;

/** Share of each value, as the reference's generator drew it. */
export type Shares = Readonly<Record<string, number>>;

export interface Summary {
  readonly n: number;
  readonly mean: number;
  readonly std: number;
  readonly standard_error: number;
  /** Quantiles 5, 25, 50, 75, 95 %. */
  readonly q: readonly [number, number, number, number, number];
}

export interface GeneratorStatistics {
  readonly n_dfas: number;
  readonly raw: { states: Shares; alphabet: Shares; out_degree: Shares; states_reachable_from_0: Shares };
  readonly minimised: {
    states: Shares;
    states_summary: Summary;
    out_degree: Shares;
    out_degree_initial: Shares;
    symbols_used: Shares;
    symbols_used_summary: Summary;
    self_loop_edges_fraction: number;
    parallel_edges_fraction: number;
    all_states_can_return_to_initial: number;
  };
  readonly sequences: {
    input_tokens: Summary;
    words_per_sequence: Shares;
    word_length: Summary;
    labels_counted_per_sequence: Summary;
  };
}

export const generatorStatistics = JSON.parse(
  file("published-generator-statistics.json").toString(),
) as GeneratorStatistics;

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Reads a safetensors file: eight bytes of header length, a JSON header, little-endian data. */
function readTensors(bytes: Buffer): Map<string, StoredTensor> {
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<
    string,
    { dtype: "F32" | "I32"; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => {
      const values = Float64Array.from({ length: (data_offsets[1] - data_offsets[0]) / 4 }, (_, at) => {
        const offset = start + data_offsets[0] + 4 * at;
        return dtype === "F32" ? bytes.readFloatLE(offset) : bytes.readInt32LE(offset);
      });
      return [name, { shape, values }];
    }),
  );
}

const tensors = readTensors(file("published.safetensors"));

export function tensor(name: string): StoredTensor {
  const found = tensors.get(name);
  if (found === undefined) throw new RangeError(`no tensor "${name}" in the fixture`);
  return found;
}

/** State numbers of the reference are arbitrary and have gaps: renumber them in order of appearance. */
export function automatonOf({ initial, transitions }: StateTable): Automaton {
  const names = Object.keys(transitions);
  const edges = names.map((name) =>
    Object.fromEntries(
      Object.entries(transitions[name]!).map(([letter, target]) => [letter, names.indexOf(`${target}`)]),
    ),
  );
  return automatonFromEdges(edges, names.indexOf(`${initial}`));
}

export function problemOfCase(example: PublishedCase): Problem {
  return problemOf(example.name, automatonFromEdges(example.canonical_bfs), encode(example.text));
}

/** The largest absolute difference; Infinity if the lengths differ. */
export function farthest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let at = 0; at < actual.length; at++) most = Math.max(most, Math.abs(actual[at]! - expected[at]!));
  return most;
}
