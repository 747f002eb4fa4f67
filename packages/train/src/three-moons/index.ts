export { ThreeMoonsConfig } from "./config.js";
export { type Disentanglement, disentanglement } from "./disentanglement.js";
export { accurateFrom, type GenerationError, generationErrors } from "./generation-error.js";
export { measureMoons, periodsInSteps, SHOWN_TRIPLES } from "./measure-moons.js";
export { runMoons } from "./run-moons.js";
export { type MoonProgress, moonLoss, trainMoons } from "./train-moons.js";
