/** Readers that were never trained, scored on the test problems: the horizontal lines of Figure 9. */
import { setImmediate } from "node:timers/promises";
import type { SelectedBackend } from "@mm/ops";
import {
  baumWelchPredictor,
  buildProblems,
  ngramPredictor,
  type Predictor,
  type Problem,
  posteriorPredictor,
  type Rows,
  score,
  scoreRows,
  stateAwarePredictor,
} from "@mm/regbench";
import { collectProvenance, RunFolder } from "@mm/run";
import { stopIfInterrupted } from "../interrupt.js";
import type { Reporter } from "../reporter.js";
import { storeRows } from "./stored-scores.js";

export interface ReferenceScore {
  model: string;
  problems: number;
  dfaAccuracy: number;
  totalVariation: number;
}

interface Reader {
  readonly model: string;
  /** Takes seconds of processor time a problem. */
  readonly slow?: true;
  make(problems: readonly Problem[]): Predictor;
}

const readers: readonly Reader[] = [
  { model: "2-gram", make: () => ngramPredictor(2) },
  { model: "3-gram", make: () => ngramPredictor(3) },
  { model: "4-gram", make: () => ngramPredictor(4) },
  { model: "bayes-told-states", make: (problems) => stateAwarePredictor(problems) },
  { model: "bayes", slow: true, make: () => posteriorPredictor() },
  { model: "baum-welch", slow: true, make: () => baumWelchPredictor({ refit: "string" }) },
  {
    model: "baum-welch-published-counting",
    slow: true,
    make: () => baumWelchPredictor({ refit: "string", counting: "published" }),
  },
];

export interface ReferenceSettings {
  root: string;
  name: string;
  /** Test problems of the n-grams and of the reader who is told the states. */
  problems: number;
  /** Of these, the first so many for the slow readers; 0 leaves them out. */
  slowProblems: number;
  dataSeed: number;
}

/** Scores the readers and stores them as a run of their own, replacing an earlier one. */
export async function scoreReferences(
  { root, name, ...config }: ReferenceSettings,
  { backend, reporter, signal }: { backend: SelectedBackend; reporter: Reporter; signal?: AbortSignal },
): Promise<{ run: RunFolder; scores: ReferenceScore[] }> {
  const { problems: count, slowProblems, dataSeed } = config;
  const { test } = buildProblems({
    environments: 0,
    valid: 0,
    test: Math.max(count, slowProblems),
    seed: dataSeed,
  });
  const provenance = collectProvenance({ backend: { ...backend }, seed: dataSeed });
  const run = RunFolder.create(root, name, config, provenance, { force: true });
  const scores: ReferenceScore[] = [];
  const rows = [];
  for (const { model, slow, make } of readers) {
    const problems = test.slice(0, slow ? slowProblems : count);
    if (problems.length === 0) continue;
    const progress = reporter.progress(model, problems.length, "problems");
    let done = 0;
    const reader = oneByOne(make(problems), () => progress.update(++done), signal);
    const result = await score(reader, problems);
    progress.finish();
    const { dfaAccuracy, totalVariation } = result.perBatch;
    scores.push({ model, problems: problems.length, dfaAccuracy, totalVariation });
    const tags = { model, dataset: "regbench", problems: problems.length };
    for (const row of scoreRows(result)) rows.push({ run: name, step: 0, ...row, tags: { ...tags, ...row.tags } });
  }
  storeRows(run.evalFolder("regbench"), rows);
  run.finish();
  return { run, scores };
}

/** The same answers, a problem at a time: progress and Ctrl-C get through. */
function oneByOne(predictor: Predictor, onAnswer: () => void, signal?: AbortSignal): Predictor {
  const answer = async (sequences: Int32Array[]) => {
    const answers: Rows[] = [];
    for (const tokens of sequences) {
      if (signal !== undefined)
        stopIfInterrupted(signal, "The references of an earlier run were replaced; start again.");
      answers.push(...(await predictor([tokens])));
      onAnswer();
      await setImmediate();
    }
    return answers;
  };
  return Object.assign(answer, predictor.output && { output: predictor.output });
}
