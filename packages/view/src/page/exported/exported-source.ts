/** Models that run in the visitor's browser, from the files beside the page. */
import { type LanguageModel, ModelConfig, modelFromTensors } from "@mm/models";
import { LocalInspector, type TextTokenizer } from "../../local-inspector.js";
import type { ExportedModel, ExportedTokenizer, ExportManifest } from "../../manifest.js";
import type { Source } from "../source.js";
import { chooseBackend } from "./backends.js";

type Progress = (share: number, what: string) => void;

/** @param backend "auto", or the name of one: webgpu, wasm or cpu */
export async function exportedSource({ models }: ExportManifest, backend: string): Promise<Source> {
  const chosen = await chooseBackend(backend);
  const opened = new Map<string, Promise<LocalInspector>>();
  return {
    place: `in this browser, on ${chosen}`,
    models: async () => models.map(({ id, name, config }) => ({ id, name, kind: config.kind })),
    open(id, onProgress) {
      const known = opened.get(id) ?? openModel(models.find((model) => model.id === id)!, onProgress);
      opened.set(id, known);
      return known;
    },
  };
}

async function openModel(exported: ExportedModel, onProgress: Progress): Promise<LocalInspector> {
  const { id, name, sample } = exported;
  const tokenizer = await tokenizerFor(exported.tokenizer);
  return new LocalInspector({ id, name, sample, tokenizer, model: await loadModel(exported, onProgress) });
}

async function loadModel(
  { config, name, tensors, shards }: ExportedModel,
  onProgress: Progress,
): Promise<LanguageModel> {
  const bytes = new Uint8Array(shards.reduce((sum, shard) => sum + shard.bytes, 0));
  let loaded = 0;
  for (const { file } of shards) {
    const response = await fetch(file);
    if (!response.ok) throw new Error(`The weights are incomplete: ${file} is missing (${response.status}).`);
    for (const reader = response.body!.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes.set(value, loaded);
      loaded += value.length;
      onProgress(loaded / bytes.length, "loading the weights");
    }
  }
  let at = 0;
  const values = tensors.map(({ name, shape }) => {
    const data = new Float32Array(
      bytes.buffer,
      at,
      shape.reduce((product, side) => product * side, 1),
    );
    at += data.byteLength;
    return [name, { shape, data }] as const;
  });
  return modelFromTensors(ModelConfig.parse(config), Object.fromEntries(values), name);
}

async function tokenizerFor(info: ExportedTokenizer): Promise<TextTokenizer> {
  if (info.alphabet !== undefined) {
    const { symbolTokenizer } = await import("./symbol-tokenizer.js");
    return symbolTokenizer(info, info.alphabet);
  }
  const { gpt2Tokenizer } = await import("./gpt2-tokenizer.js");
  return gpt2Tokenizer(info);
}
