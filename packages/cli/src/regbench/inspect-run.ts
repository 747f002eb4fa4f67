/**
 * One problem through the eyes of a trained model: where the automaton was, what could follow, what the model, the
 * in-context 3-grams and the exact reader said, and, where the model reads with weights, what the last position read.
 */
import { join } from "node:path";
import { inspect, type LanguageModel, loadModel } from "@mm/models";
import { buildProblems, type InspectedProblem, inspectProblem, type Problem, SEPARATOR } from "@mm/regbench";
import { type MetricRow, type RunFolder, UserError, writeFileAtomic } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { asPredictor } from "../predictor.js";
import { storeRows } from "./stored-scores.js";

/** How one head weighs what the last position reads. */
export interface LastRead {
  /** The layer's name, such as `blocks.0.attn`. */
  layer: string;
  head: number;
  /** [time]; they sum to 1. */
  weights: number[];
}

export interface Inspection extends InspectedProblem {
  reads: LastRead[];
}

/** @param id split and number of the problem, such as "test-17" */
export async function inspectWeights(weights: string, id: string, dataSeed: number): Promise<Inspection> {
  const problem = findProblem(id, dataSeed);
  const model = loadModel(weights);
  try {
    return { ...(await inspectProblem(asPredictor(model), problem)), reads: await lastReads(model, problem) };
  } finally {
    model.dispose();
  }
}

export function findProblem(id: string, dataSeed: number): Problem {
  const { split, number } = parseProblemId(id);
  const only = { environments: 0, valid: 0, test: 0, [split === "train" ? "environments" : split]: number + 1 };
  return buildProblems({ ...only, seed: dataSeed })[split].at(-1)!;
}

/** @throws UserError unless the id is a split and a number */
export function parseProblemId(id: string): { split: "train" | "valid" | "test"; number: number } {
  const [, split, number] = /^(train|valid|test)-(\d{1,6})$/.exec(id) ?? [];
  if (split === undefined || number === undefined) {
    throw new UserError(`Expected a problem such as test-17 (train, valid or test, and a number) but found "${id}".`, {
      hint: "For example --inspect test-0.",
    });
  }
  return { split: split as "train" | "valid" | "test", number: Number(number) };
}

async function lastReads(model: LanguageModel, { input }: Problem): Promise<LastRead[]> {
  const tokens = tf.tensor2d(input, [1, input.length], "int32");
  const values = inspect(model, tokens, (name) => name.endsWith(".weights"));
  const reads: LastRead[] = [];
  for (const [name, value] of Object.entries(values)) {
    const [, heads = 0, rows = 0, columns = 0] = value.shape;
    if (value.rank === 4 && rows === columns) {
      const last = tf.tidy(() => value.slice([0, 0, rows - 1, 0], [1, heads, 1, columns]).reshape([heads, columns]));
      const weights = (await last.array()) as number[][];
      last.dispose();
      const layer = name.slice(0, -".weights".length);
      reads.push(...weights.map((row, head) => ({ layer, head, weights: row })));
    }
  }
  tf.dispose([tokens, ...Object.values(values)]);
  return reads;
}

/** Stores the inspection as `problem.json` and rows of the run's evaluation `regbench-PROBLEM`. Returns the folder. */
export function storeInspection(run: RunFolder, step: number, inspection: Inspection): string {
  const folder = run.evalFolder(`regbench-${inspection.id}`);
  writeFileAtomic(join(folder, "problem.json"), `${JSON.stringify(inspection)}\n`);
  storeRows(folder, inspectionRows(run, step, inspection));
  return folder;
}

/**
 * At each position `inspectedTotalVariation` to the exact answer and, where there is a label, `inspectedLabelProbability`
 * by each reader; `inspectedReadWeight` is what the last position reads of each.
 */
function inspectionRows(run: RunFolder, step: number, { id, positions, reads, symbols }: Inspection): MetricRow[] {
  const common = { run: run.name, step, split: id.split("-")[0]! };
  const rows: MetricRow[] = [];
  const add = (metric: string, value: number, tags: MetricRow["tags"]) =>
    rows.push({ ...common, metric, value, tags: { ...run.provenance.tags, problem: id, ...tags } });
  for (const at of positions) {
    const readers = { model: at.probabilities, "3-gram": at.ngram, exact: at.exact };
    for (const [reader, probabilities] of Object.entries(readers)) {
      const tags = { position: at.position, reader };
      const distance = probabilities.reduce((sum, p, symbol) => sum + Math.abs(p - at.exact[symbol]!), 0) / 2;
      add("inspectedTotalVariation", distance, tags);
      if (at.label !== null) add("inspectedLabelProbability", probabilities[symbols.indexOf(at.label)]!, tags);
    }
  }
  for (const { layer, head, weights } of reads)
    for (const [position, weight] of weights.entries()) add("inspectedReadWeight", weight, { layer, head, position });
  return rows;
}

/** The problem string by string; below each letter `x` where the model's best guess for it could not have come. */
export function printInspection({ id, automaton, positions, symbols, scores }: Inspection): string {
  const lines: string[] = [];
  let letters = "";
  let marks = "";
  let seen = 0;
  const endString = () => {
    lines.push(
      `${String(seen++).padStart(3)}  ${letters}`,
      ...(marks.trim() === "" ? [] : [`     ${marks.trimEnd()}`]),
    );
    [letters, marks] = ["", ""];
  };
  // The first letter has no position before it.
  letters += positions[0]?.token ?? "";
  marks += " ";
  for (const [index, { label, correct }] of positions.entries()) {
    const next = positions[index + 1]?.token ?? label ?? "";
    if (next === symbols[SEPARATOR]) endString();
    else if (next !== "") {
      letters += next;
      marks += correct ? " " : "x";
    }
  }
  endString();
  return [
    `${id}: a language of ${automaton.length} states; accuracy ${scores.dfaAccuracy.toFixed(3)}, TVD ${scores.totalVariation.toFixed(3)}, loss ${scores.loss.toFixed(3)}`,
    "x below a letter: the model's best guess there could not follow",
    ...lines,
  ].join("\n");
}
