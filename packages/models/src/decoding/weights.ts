/**
 * The matrices that a decoder reads for every token: as the model holds them, or packed into fewer bits
 * (`packed-weights.ts` of @mm/ops), which shortens the wait for memory. Embeddings, norms, biases, averages and stored pairs
 * stay fp32.
 */
import {
  disposePacked,
  gelu,
  linear,
  type PackedWeights,
  packedLinear,
  packedPersistentRead,
  packWeights,
  persistentRead,
  WEIGHT_FORMATS,
  type WeightFormat,
} from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { MlpNames } from "../layers/mlp.js";
import type { Scope } from "../scope.js";

export const DECODING_FORMATS = ["fp32", ...WEIGHT_FORMATS] as const;
export type DecodingFormat = (typeof DECODING_FORMATS)[number];

/** [..., in] → [..., out] */
export type LinearMap = <X extends tf.Tensor>(x: X) => X;
/** Keys [B, T, C] → what they read, [B, T, C]. */
export type SlotRead = (keys: tf.Tensor3D) => tf.Tensor3D;

export class DecodingWeights {
  readonly #packed: PackedWeights[] = [];
  readonly #tensors: tf.Tensor[] = [];

  constructor(private readonly format: DecodingFormat) {}

  /** Whether some weights are kept in fewer bits. */
  get arePacked(): boolean {
    return this.#packed.length > 0;
  }

  /** y = x·weightᵀ + bias; weight [out, in]. */
  product(weight: tf.Tensor2D, bias?: tf.Tensor1D): LinearMap {
    if (this.format === "fp32") return (x) => linear(x, weight, bias);
    const packed = this.#pack(weight, this.format);
    return (x) => packedLinear(x, packed, bias);
  }

  /** A linear map's weight and bias. */
  map(scope: Scope): LinearMap {
    return this.product(scope.get<tf.Tensor2D>("weight"), scope.find<tf.Tensor1D>("bias"));
  }

  /** W₂ gelu(W₁ x) */
  mlp(scope: Scope, names: MlpNames): LinearMap {
    const [inward, outward] = [this.map(scope.at(names.input)), this.map(scope.at(names.output))];
    return (x) => outward(gelu(inward(x)));
  }

  /** The read of a bank of slots, keys and values [1, heads, slots, features]. */
  slots(keys: tf.Tensor4D, values: tf.Tensor4D): SlotRead {
    if (this.format === "fp32") return (queries) => persistentRead(queries, keys, values);
    const [, heads, slots, features] = keys.shape;
    const pack = (bank: tf.Tensor4D, format: WeightFormat) => {
      const matrix = tf.reshape<tf.Rank.R2>(bank, [heads * slots, features]);
      const packed = this.#pack(matrix, format);
      matrix.dispose();
      return packed;
    };
    const [packedKeys, packedValues] = [pack(keys, this.format), pack(values, this.format)];
    return (queries) => packedPersistentRead(queries, packedKeys, packedValues, heads);
  }

  /** A tensor that the decoder computes once, to be freed with it. */
  own<T extends tf.Tensor>(compute: () => T): T {
    const tensor = tf.tidy(compute);
    this.#tensors.push(tensor);
    return tensor;
  }

  dispose(): void {
    tf.dispose(this.#tensors);
    for (const packed of this.#packed) disposePacked(packed);
  }

  #pack(weight: tf.Tensor2D, format: WeightFormat): PackedWeights {
    const packed = packWeights(weight, format);
    this.#packed.push(packed);
    return packed;
  }
}
