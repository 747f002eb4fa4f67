export * from "./decoding/index.js";
export { type ImportedWeights, importWeights } from "./foreign/import-weights.js";
export { modelFromTensors } from "./from-tensors.js";
export { generate } from "./generate.js";
export { Gpt2Config } from "./gpt2/config.js";
export { inspect } from "./inspect.js";
export * from "./inspection/index.js";
export { MemoryMosaicConfig } from "./memory-mosaic/config.js";
export { MemoryMosaicV2Config } from "./memory-mosaic-v2/config.js";
export { inference, type LanguageModel, type Mode, type Probe } from "./model.js";
export { exportOnnx, onnxGraphs } from "./onnx/export-onnx.js";
export { countParameters, type Parameter, type ParameterTable } from "./parameters.js";
export { checkParity, type ParityResult, parityKinds } from "./parity/check-parity.js";
export { isWithin, type Measure } from "./parity/measure.js";
export {
  readSafetensors,
  type SafetensorsData,
  type SafetensorsFile,
  type SafetensorsTensor,
  writeSafetensors,
} from "./safetensors.js";
export * from "./three-moons/index.js";
export { loadModel, loadWeights, saveWeights, storedConfig } from "./weights.js";
export { buildModel, createModel, ModelConfig, modelParameters, models, parameterShapes } from "./zoo.js";
