/**
 * Models on disk: safetensors under the authors' parameter names, so that weights travel to and from PyTorch code
 * without a converter. Our files also carry the configuration, so that a file alone makes a model.
 */
import { UserError } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { matchTensors, modelFromTensors } from "./from-tensors.js";
import type { LanguageModel } from "./model.js";
import { readSafetensors, type SafetensorsTensor, writeSafetensors } from "./safetensors.js";
import { ModelConfig, modelParameters, parameterAliases } from "./zoo.js";

/** Metadata key of the configuration, as JSON. */
const CONFIG = "mm.config";

/** Writes a model's parameters and configuration, atomically; `metadata` adds entries of the caller's. */
export async function saveWeights(
  model: LanguageModel,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors: Record<string, SafetensorsTensor> = {};
  for (const [name, variable] of Object.entries(model.variables())) {
    tensors[name] = { shape: variable.shape, data: (await variable.data()) as Float32Array };
  }
  writeSafetensors(path, tensors, { format: "pt", [CONFIG]: JSON.stringify(model.config), ...metadata });
}

/**
 * Sets a model's parameters from a file of ours or the authors'.
 *
 * @throws UserError naming what is missing, left over or of another shape; the model is then unchanged
 */
export function loadWeights(model: LanguageModel, path: string): void {
  const config = model.config as ModelConfig;
  const values = matchTensors(modelParameters(config), parameterAliases(config), readSafetensors(path).tensors, path);
  for (const [name, variable] of Object.entries(model.variables())) {
    tf.tidy(() => variable.assign(tf.tensor(values[name]!, variable.shape, "float32")));
  }
}

/**
 * Makes a model from a file that `saveWeights` wrote, or from the authors' weights when `config` is given.
 *
 * @throws UserError when the file holds no configuration and none is given, or does not fit it
 */
export function loadModel(path: string, config?: ModelConfig): LanguageModel {
  const { tensors, metadata } = readSafetensors(path);
  const resolved = config ?? storedConfig(metadata);
  if (resolved === undefined)
    throw new UserError(`Cannot make a model from ${path}: the file does not say which configuration it has.`, {
      hint: `Make one of it first: mm import ${path} --out own.safetensors`,
    });
  return modelFromTensors(resolved, tensors, path);
}

/** The configuration in a file of ours; none in others. */
export function storedConfig(metadata: Readonly<Record<string, string>>): ModelConfig | undefined {
  const text = metadata[CONFIG];
  return text === undefined ? undefined : ModelConfig.parse(JSON.parse(text));
}
