/** Models from named numbers, wherever these come from: a file, other code, a web server. */
import { UserError } from "@mm/run";
import type { LanguageModel } from "./model.js";
import { makeVariables, type ParameterTable } from "./parameters.js";
import type { SafetensorsTensor } from "./safetensors.js";
import { buildModel, type ModelConfig, modelParameters, parameterAliases } from "./zoo.js";

/** Makes a model around given values; `source` names their origin in errors. */
export function modelFromTensors(
  config: ModelConfig,
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  source: string,
): LanguageModel {
  const table = modelParameters(config);
  const values = matchTensors(table, parameterAliases(config), tensors, source);
  return buildModel(
    config,
    makeVariables(table, (name) => values[name]!),
  );
}

/** The values of each parameter of the table; tied copies under another name are left out. */
export function matchTensors(
  table: ParameterTable,
  aliases: Readonly<Record<string, string>>,
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  source: string,
): Record<string, Float32Array> {
  const missing = Object.keys(table).filter((name) => tensors[name] === undefined);
  const leftOver = Object.keys(tensors).filter((name) => table[name] === undefined && aliases[name] === undefined);
  if (missing.length > 0 || leftOver.length > 0)
    throw new UserError(`The weights in ${source} are of another model: ${difference(missing, leftOver)}.`, {
      hint: "Use the configuration with which the weights were made.",
    });
  return Object.fromEntries(
    Object.entries(table).map(([name, { shape }]) => {
      const tensor = tensors[name]!;
      if (tensor.shape.join() !== shape.join() || !(tensor.data instanceof Float32Array))
        throw new UserError(
          `Expected ${name} in ${source} as float32 [${shape}], found ${tensor.data.constructor.name} [${tensor.shape}].`,
          { hint: "Use the configuration with which the weights were made." },
        );
      return [name, tensor.data];
    }),
  );
}

function difference(missing: string[], leftOver: string[]): string {
  const list = (names: string[]) =>
    names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  const parts = [];
  if (missing.length > 0) parts.push(`it lacks ${list(missing)}`);
  if (leftOver.length > 0) parts.push(`the model has no ${list(leftOver)}`);
  return parts.join("; ");
}
