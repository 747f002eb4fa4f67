/** The parts of the paper that can be reproduced: which work each needs, at each scale, and which figures show it. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { applySettings } from "@mm/run";
import { DATASETS, RESULTS } from "../places.js";
import { recallExperiments } from "../recall/experiments.js";
import { openRecipe } from "../recipes.js";
import { experiments } from "../regbench/experiments.js";
import { type Family, type Scale, type ScaleName, scales } from "./scales.js";
import type { Task } from "./task.js";
import {
  attentionTask,
  givenDatasetTask,
  languageTask,
  moonsTasks,
  positionLossTask,
  proseTask,
  recallTask,
  regbenchTask,
  storiesTask,
} from "./tasks.js";

export interface Part {
  readonly title: string;
  /** What the paper found, and what is asked here. */
  readonly text: readonly string[];
  readonly figures: readonly string[];
  tasks(place: Place): Task[];
}

/** Where a reproduction at one scale keeps its things. */
export interface Place {
  readonly scaleName: ScaleName;
  readonly scale: Scale;
  /** Holds runs/, tables/, figures/ and the report. */
  readonly results: string;
  readonly runs: string;
  /** Folder of its datasets. */
  readonly datasets: string;
  readonly stories: string;
  /** Text out of the distribution of stories. */
  readonly prose: string;
}

export function placeOf(scaleName: ScaleName): Place {
  const results = join(RESULTS, "reproduce", scaleName);
  const scale = scales[scaleName];
  const datasets = scale.stories === null ? DATASETS : join(DATASETS, "reproduce", scaleName);
  return {
    scaleName,
    scale,
    results,
    runs: join(results, "runs"),
    datasets,
    stories: join(datasets, scale.stories === null ? "babistories" : "stories"),
    prose: join(datasets, scale.stories === null ? "simplewiki" : "prose"),
  };
}

export const parts = {
  "three-moons": {
    title: "Three moons: predictive disentanglement",
    text: [
      "A memory with one head can only predict where all three moons together have been before: it has to wait for the joint period. Three heads can take one moon each, and need only the longest single period.",
    ],
    figures: ["three-moons-error", "three-moons-trajectories", "three-moons-attention", "three-moons-weights"],
    tasks: ({ runs, scale }) => moonsTasks(runs, scale.moons),
  },
  table1: {
    title: "The dataset",
    text: ["Where the published stories are not at hand, synthetic ones stand in; they are marked as such."],
    figures: ["dataset-statistics"],
    tasks: (place) => [storiesOf(place)],
  },
  babistories: {
    title: "Language modelling, in and out of distribution",
    text: [
      "Memory Mosaics and GPT-2 of the same sizes on the same batches (Figure 7), and their loss at each position of the window, on stories and on text of another kind (Figure 8). At the smaller scales Memory Mosaics v2 (arXiv 2507.03285) stand beside them.",
    ],
    figures: ["loss-curves", "position-loss"],
    tasks: (place) => [storiesOf(place), proseOf(place), ...languageTasks(place), ...positionTasks(place)],
  },
  attention: {
    title: "A look inside",
    text: [
      "The paper observes that heads of GPT-2 spread their attention unevenly over far positions, while a Memory Mosaic reads them flatly, with a peak on the most recent ones.",
    ],
    figures: ["attention-curves", "head-parameters"],
    tasks: (place) => {
      // Heads of models of several depths have nothing to do with each other: the deepest are shown.
      const deepest = languageTasks(place, place.scale.depths.slice(-1));
      const { runs, scale } = place;
      return [
        storiesOf(place),
        ...deepest,
        ...deepest.map(({ name }) => attentionTask(runs, name, scale.windows.attention)),
      ];
    },
  },
  regbench: {
    title: "RegBench: learning a language in context",
    text: ["Models trained on few languages, tested on languages that they have never seen (Figure 9)."],
    figures: ["regbench"],
    tasks: ({ runs, scale }) => experiments({ recipes: [], ...scale.regbench }).map((one) => regbenchTask(runs, one)),
  },
  recall: {
    title: "Recall: over a distance, and among many pairs",
    text: [
      "Small models of one size, trained alike on sequences that are never repeated: the value of a key that stood some tokens back, and of each of many keys. An experiment of ours; the papers have none like it.",
    ],
    figures: ["recall"],
    tasks: ({ runs, scale }) => recallExperiments(scale.recall).map((one) => recallTask(runs, one)),
  },
  table2: {
    title: "Hyper-parameters of GPT-2",
    text: [
      "The paper tuned its settings on GPT-2 and left them for the Memory Mosaic. The exact grid is unpublished; this one is ours, over fields that the paper names.",
    ],
    figures: ["hyperparameter-search"],
    tasks: (place) => [storiesOf(place), ...searchTasks(place)],
  },
  ablations: {
    title: "Ablations",
    text: ["A Memory Mosaic without one of its parts at a time: its loss on stories (one block), and what it recalls."],
    figures: ["ablations"],
    tasks: (place) => [storiesOf(place), ...ablationTasks(place)],
  },
} as const satisfies Record<string, Part>;

export type PartName = keyof typeof parts;

/** The work of some parts in order, each piece once. */
export function tasksOf(names: readonly PartName[], place: Place): Task[] {
  const tasks = names.flatMap((name) => (parts[name] as Part).tasks(place));
  return [...new Map(tasks.map((task) => [task.name, task])).values()];
}

function storiesOf({ stories, scale }: Place): Task {
  if (scale.stories !== null) return storiesTask(stories, scale.stories);
  return givenDatasetTask(stories, `mm build-dataset babistories-archive ARCHIVE --out ${stories}`);
}

function proseOf({ prose, scale }: Place): Task {
  if (scale.stories === null) return givenDatasetTask(prose, `mm build-dataset wiki DUMP --out ${prose}`);
  return proseTask(prose, readMeFiles());
}

/** The packages' own documentation: a few thousand words that are no stories. */
function readMeFiles(): string[] {
  const packages = fileURLToPath(new URL("../../..", import.meta.url));
  return readdirSync(packages)
    .map((name) => join(packages, name, "README.md"))
    .filter((file) => existsSync(file))
    .sort();
}

/** A recipe at a depth, with what the scale changes and then what is given. */
function configured(place: Place, family: Family, depth: number, set: readonly string[] = []): unknown {
  const recipe = place.scaleName === "paper" ? `paper/${family}-${depth}` : `laptop/${family}`;
  const settings = [`dataset=${place.stories}`, `model.blocks=${depth}`, ...place.scale.language, ...set];
  return applySettings(openRecipe(recipe), settings);
}

function languageTasks(place: Place, depths = place.scale.depths) {
  return depths.flatMap((depth) =>
    place.scale.families.map((family) =>
      languageTask({
        root: place.runs,
        name: `stories-${family}-${depth}`,
        config: configured(place, family, depth),
      }),
    ),
  );
}

function positionTasks(place: Place): Task[] {
  const { runs, stories, prose, scale } = place;
  return languageTasks(place).flatMap(({ name }) =>
    [stories, prose].map((dataset) => positionLossTask(runs, name, dataset, scale.windows.position)),
  );
}

/** Every combination of the values of the grid. */
function searchTasks(place: Place): Task[] {
  const grid = Object.entries(place.scale.search).reduce<Record<string, number>[]>(
    (combinations, [path, values]) =>
      combinations.flatMap((combination) => values.map((value) => ({ ...combination, [path]: value }))),
    [{}],
  );
  const depth = place.scale.depths[0]!;
  return grid.map((values, index) => {
    const settings = Object.entries(values).map(([path, value]) => `${path}=${value}`);
    const varied = Object.fromEntries(Object.entries(values).map(([path, value]) => [`set.${path}`, value]));
    return languageTask({
      root: place.runs,
      name: `search-gpt2-${index + 1}`,
      config: configured(place, "gpt2", depth, settings),
      tags: { sweep: "table2", ...varied },
    });
  });
}

/** What a Memory Mosaic is made of, taken away one by one. */
const ABLATIONS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  "no-peek": ["model.peek=false"],
  "no-leaky-average": ["model.leakyAverage=false"],
  "no-key-norm": ["model.keyNorm=false"],
  "mlp-for-persistent-memory": ["model.persistentRead=mlp"],
  "attention-for-contextual-memory": ["model.contextualRead=attention"],
};

function ablationTasks(place: Place): Task[] {
  const { runs, scale } = place;
  return Object.entries(ABLATIONS).flatMap(([ablation, set]) => {
    const tags = { ablation };
    const stories = languageTask({
      root: runs,
      name: `ablation-${ablation}`,
      config: configured(place, "mosaic", 1, set),
      tags,
    });
    const { seeds, set: scaled } = scale.recall;
    const recall = recallExperiments({
      models: ["memory-mosaic"],
      seeds,
      set: [...scaled, ...set],
      suffix: `ablation-${ablation}`,
    });
    return [stories, ...recall.map((one) => recallTask(runs, one, tags))];
  });
}
