/**
 * A model as one ONNX file: input `tokens` (int64 [batch, time], both of any size), output `logits` (float32 [batch, time,
 * vocabulary]), weights under the authors' parameter names.
 */
import { UserError } from "@mm/run";
import type { LanguageModel } from "../model.js";
import { writePieces } from "../write-pieces.js";
import { gpt2Graph } from "./gpt2.js";
import { memoryMosaicGraph } from "./memory-mosaic.js";
import type { Network } from "./network.js";

/** Kind of model → its graph. */
export const onnxGraphs: Readonly<Record<string, (model: LanguageModel) => Network>> = {
  "memory-mosaic": memoryMosaicGraph,
  gpt2: gpt2Graph,
};

/** Protocol Buffers end here, and with them one-file ONNX. */
const LARGEST_FILE = 2 ** 31 - 1;

/**
 * Writes the model, atomically.
 *
 * @returns the number of bytes
 * @throws UserError for an architecture that has no graph here, and when the file would be larger than ONNX allows
 */
export function exportOnnx(
  model: LanguageModel,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): number {
  const graph = onnxGraphs[model.name];
  if (graph === undefined)
    throw new UserError(
      `Expected a ${Object.keys(onnxGraphs).join(" or a ")} to write as ONNX, but this is a ${model.name}.`,
      { hint: "Its weights travel as safetensors: mm export safetensors." },
    );
  const file = graph(model).graph.toModel(model.name, { "mm.config": JSON.stringify(model.config), ...metadata });
  if (file.length > LARGEST_FILE)
    throw new UserError(
      `Expected at most ${LARGEST_FILE} bytes, the most that an ONNX file holds, but the model has ${file.length}.`,
      { hint: "Export it as safetensors: mm export safetensors." },
    );
  writePieces(path, file.pieces);
  return file.length;
}
