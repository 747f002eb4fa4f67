/** Every figure that `mm plot figures` can draw. A new one is a file beside these and a line here. */
import type { Figure } from "../figure.js";
import { ablations } from "./ablations.js";
import { attentionCurves } from "./attention-curves.js";
import { datasetStatistics } from "./dataset-statistics.js";
import { headParameters } from "./head-parameters.js";
import { hyperparameterSearch } from "./hyperparameter-search.js";
import { lossCurves } from "./loss-curves.js";
import { positionLoss } from "./position-loss.js";
import { recall } from "./recall.js";
import { regbench } from "./regbench.js";
import { regbenchByPosition } from "./regbench-by-position.js";
import { threeMoonsAttention } from "./three-moons-attention.js";
import { threeMoonsError } from "./three-moons-error.js";
import { threeMoonsTrajectories } from "./three-moons-trajectories.js";
import { threeMoonsWeights } from "./three-moons-weights.js";

export const figures = {
  "loss-curves": lossCurves,
  "position-loss": positionLoss,
  regbench,
  "dataset-statistics": datasetStatistics,
  "hyperparameter-search": hyperparameterSearch,
  "attention-curves": attentionCurves,
  "head-parameters": headParameters,
  "regbench-by-position": regbenchByPosition,
  recall,
  ablations,
  "three-moons-trajectories": threeMoonsTrajectories,
  "three-moons-error": threeMoonsError,
  "three-moons-attention": threeMoonsAttention,
  "three-moons-weights": threeMoonsWeights,
} satisfies Record<string, Figure>;
