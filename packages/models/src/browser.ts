/** The part of this package that needs no files: what runs in a browser, too. */
export * from "./decoding/index.js";
export { modelFromTensors } from "./from-tensors.js";
export * from "./inspection/index.js";
export { inference, type LanguageModel, type Mode, type Probe } from "./model.js";
export { createModel, ModelConfig, parameterShapes } from "./zoo.js";
