/**
 * `source.json`: tells the page where it is. Behind `mm view` it is `{ "kind": "live" }`; in a folder that `mm export web`
 * wrote it describes the models that lie beside it. Weights are float32, little endian, tensor after tensor, cut into
 * shards of any length.
 */
export type SourceManifest = { readonly kind: "live" } | ExportManifest;

export interface ExportManifest {
  readonly kind: "exported";
  readonly models: readonly ExportedModel[];
}

export interface ExportedModel {
  readonly id: string;
  readonly name: string;
  /** As in a run's configuration (`ModelConfig`). */
  readonly config: { readonly kind: string } & Readonly<Record<string, unknown>>;
  readonly tokenizer: ExportedTokenizer;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly shards: readonly { readonly file: string; readonly bytes: number }[];
  readonly sample: readonly (readonly number[])[];
}

export interface ExportedTokenizer {
  readonly name: string;
  readonly vocabulary: number;
  readonly endOfText: number | null;
  /** Symbols in the order of their ids, where there is one for each character. */
  readonly alphabet?: string;
}
