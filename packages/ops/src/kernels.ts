/**
 * The contract between our tensor functions and a backend: for every kernel its name, inputs, attributes and outputs.
 *
 * A backend may register any subset with `tf.registerKernel`. The functions of this package run a kernel where the
 * active backend has it, and their plain TF.js definition elsewhere. A kernel with a gradient must come together with
 * its `<Name>Grad` kernel. Rules for every kernel:
 *
 * - All tensors are contiguous, row-major float32 unless marked int32; only AdamWStep and WriteRows write to inputs.
 * - Heads are contiguous parts of width D of the last axis, C = H·D; H is the length of the per-head vectors, the
 *   attribute `heads`, or the second axis of the slots. No kernel sees a transposed tensor.
 * - `x [..., in]` stands for any rank; the kernel sees rows × last axis, and returns the leading axes unchanged.
 * - Outputs come as an array in the order given here, all of them. Those after the first of a forward kernel are
 *   statistics that only its own Grad kernel reads: their number is fixed; what is given here as their shape and content
 *   is what is expected, but a backend may keep something else there (wasm keeps the weights of the reads).
 * - Grad kernels get the forward inputs, the saved outputs and `dy`, the gradient of the first output.
 * - NaN in an input that takes part in an output makes that output NaN.
 * - A vector of length zero has the unit vector zero, and no gradient flows through it (never 0/0).
 *
 * Dropout: see `dropout.ts` for the mask, which every backend must draw bit for bit.
 */
import * as tf from "@tensorflow/tfjs";
import type { WeightFormat } from "./packed-weights.js";

/** Dropout as a kernel sees it: an element is dropped iff its 16 random bits are < threshold; 0 means no dropout. */
export interface DropoutAttributes {
  dropoutThreshold: number;
  /** Philox key, two unsigned 32-bit words. */
  dropoutKey: [number, number];
}

/** Which keys a query may read: query i stands at position offset + i and reads keys offset+i−farthest … offset+i−nearest. */
export interface CausalReadAttributes extends DropoutAttributes {
  heads: number;
  nearest: number;
  /** −1 when there is no bound. */
  farthest: number;
  offset: number;
  /** The softmax is over scale · q·k. */
  scale: number;
}

type T = tf.Tensor;
type None = Record<never, never>;
interface Kernel<Inputs, Attributes, Outputs extends (T | undefined)[]> {
  inputs: Inputs;
  attrs: Attributes;
  outputs: Outputs;
}

export interface KernelContract {
  /** y = x·weightᵀ + bias; x [..., in], weight [out, in], bias [out] → y [..., out]. */
  Linear: Kernel<{ x: T; weight: T; bias?: T }, None, [y: T]>;
  /** With `bias` the third output is Σ dy over the rows. */
  LinearGrad: Kernel<{ x: T; weight: T; dy: T }, { bias: boolean }, [dx: T, dWeight: T, dBias?: T]>;

  /** y = x·Wᵀ + bias with packed weights (`packed-weights.ts`); factors [out] with int8. No gradient. */
  PackedLinear: Kernel<
    { x: T; words: T; factors?: T | undefined; bias?: T | undefined },
    { out: number; format: WeightFormat },
    [y: T]
  >;

  /** y = (x − mean)/√(variance + epsilon) · weight + bias over the last axis, biased variance; statistics [rows]. */
  LayerNorm: Kernel<{ x: T; weight: T; bias?: T }, { epsilon: number }, [y: T, mean: T, inverseDeviation: T]>;
  LayerNormGrad: Kernel<
    { x: T; weight: T; mean: T; inverseDeviation: T; dy: T },
    { bias: boolean },
    [dx: T, dWeight: T, dBias?: T]
  >;

  /** y_t = e^{−rate} y_{t−1} + (1 − e^{−rate}) u_t, y_{−1} = 0; u [B, T, C], rate [H] → y [B, T, C]. */
  LeakyAverage: Kernel<{ u: T; rate: T }, None, [average: T]>;
  LeakyAverageGrad: Kernel<{ u: T; rate: T; average: T; dy: T }, None, [du: T, dRate: T]>;

  /** keys = scale · ȳ/‖ȳ‖ per head, ȳ the leaky average; statistics: norm ‖ȳ‖ [B, T, H]. */
  LeakyKeys: Kernel<{ u: T; rate: T; scale: T }, None, [keys: T, norm: T]>;
  LeakyKeysGrad: Kernel<{ u: T; rate: T; scale: T; keys: T; norm: T; dy: T }, None, [du: T, dRate: T, dScale: T]>;

  /** LeakyKeys that go on from average [B, C] (0 when missing); also gives the average after the last u. No gradient. */
  AdvanceKeys: Kernel<{ u: T; rate: T; scale: T; average?: T | undefined }, None, [keys: T, average: T]>;

  /** values = scale · v̄/‖v̄‖ per head, v̄_t = mix·w_t + (1−mix)·w_{t+shift} (0 beyond the end); norm ‖v̄‖ [B, T, H]. */
  PeekValues: Kernel<{ w: T; mix: T; scale: T }, { shift: number }, [values: T, norm: T]>;
  PeekValuesGrad: Kernel<
    { w: T; mix: T; scale: T; values: T; norm: T; dy: T },
    { shift: number },
    [dw: T, dMix: T, dScale: T]
  >;

  /**
   * out_i = Σ_j dropout(softmax_j(scale · q_i·k_j)) v_j over the readable j; queries [B, Tq, C], keys and values
   * [B, Tk, C]; a row that reads nothing is exactly 0. Keys and values nobody reads never matter, even when NaN.
   * statistics [B, H, Tq], the log-sum-exp of the scores. Dropout rows are (b·H + h)·Tq + i, columns j.
   */
  CausalRead: Kernel<{ queries: T; keys: T; values: T }, CausalReadAttributes, [out: T, logSumExp: T]>;
  /** `tied`: queries and keys are one tensor; the outputs are then [dKeys, dValues], dKeys the sum of both uses. */
  CausalReadGrad: Kernel<
    { queries: T; keys: T; values: T; out: T; logSumExp: T; dy: T },
    CausalReadAttributes & { tied: boolean },
    [dQueries: T, dKeys: T, dValues: T] | [dKeys: T, dValues: T]
  >;

  /**
   * out = Σ_p dropout(softmax_p(k·K_hp)) V_hp; keys [B, T, C], slot keys and values [1, H, P, D] → [B, T, C];
   * statistics [B, H, T], the log-sum-exp of the scores. Dropout rows are (b·H + h)·T + t, columns p.
   */
  PersistentRead: Kernel<{ keys: T; slotKeys: T; slotValues: T }, DropoutAttributes, [out: T, logSumExp: T]>;
  PersistentReadGrad: Kernel<
    { keys: T; slotKeys: T; slotValues: T; out: T; logSumExp: T; dy: T },
    DropoutAttributes,
    [dKeys: T, dSlotKeys: T, dSlotValues: T]
  >;

  /** PersistentRead without dropout from packed slots [H·P, D], with a factor for each slot with int8. No gradient. */
  PackedPersistentRead: Kernel<
    { keys: T; slotKeys: T; keyFactors?: T | undefined; slotValues: T; valueFactors?: T | undefined },
    { heads: number; slots: number; format: WeightFormat },
    [out: T, logSumExp: T]
  >;

  /** y = scale_h · x; x [..., C], scale [H]. */
  ScaleHeads: Kernel<{ x: T; scale: T }, None, [y: T]>;
  ScaleHeadsGrad: Kernel<{ x: T; scale: T; dy: T }, None, [dx: T, dScale: T]>;

  /** y = x · mask/(1 − threshold/65536), the mask over rows × last axis. Its gradient is Dropout of dy. */
  Dropout: Kernel<{ x: T }, DropoutAttributes, [y: T]>;
  /** y = residual + dropout(x). Its gradient runs Dropout. */
  DropoutAdd: Kernel<{ residual: T; x: T }, DropoutAttributes, [y: T]>;

  /** y = ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
  Gelu: Kernel<{ x: T }, None, [y: T]>;
  GeluGrad: Kernel<{ x: T; dy: T }, None, [dx: T]>;

  /** Rows of weight [V, C] at tokens (int32, any shape) → [..., C]. Tokens are within 0 … V−1 (checked by the caller). */
  Embedding: Kernel<{ weight: T; tokens: T }, None, [y: T]>;
  EmbeddingGrad: Kernel<{ tokens: T; dy: T }, { vocabulary: number }, [dWeight: T]>;
  /** Embedding, and the matrix itself for another use. */
  TiedEmbedding: Kernel<{ weight: T; tokens: T }, None, [y: T, weight: T]>;
  /** dMatrix, the gradient of that use, plus the rows' gradients: in its place, when nobody else has its data. */
  TiedEmbeddingGrad: Kernel<{ tokens: T; dy: T; dMatrix: T }, None, [dWeight: T]>;

  /**
   * Mean over targets ≠ ignore of −log softmax(scale · x·weightᵀ)[target] (0 when there is none); x [N, C],
   * weight [V, C], targets [N] int32. With `gradients` also ∂loss/∂x and ∂loss/∂weight, in the same pass over chunks
   * of the logits, which are never stored whole.
   */
  LinearCrossEntropy: Kernel<
    { x: T; weight: T; targets: T },
    { scale: number; ignore: number; gradients: boolean },
    [loss: T, dx?: T, dWeight?: T]
  >;
  /** dx·dy and dWeight·dy for the scalar dy; when dy is 1 the outputs may share the inputs' data. */
  LinearCrossEntropyGrad: Kernel<{ dx: T; dWeight: T; dy: T }, None, [dx: T, dWeight: T]>;

  /** −log softmax(scale · x·weightᵀ)[target] per row, 0 where ignored → [N]. No gradient. */
  LinearTokenLosses: Kernel<{ x: T; weight: T; targets: T }, { scale: number; ignore: number }, [losses: T]>;

  /** h_t = decay_t·h_{t−1} + input_t; decay [B, T, N] or [N], input [B, T, N], initial [B, N] → h [B, T, N]. */
  LinearRecurrence: Kernel<{ decay: T; input: T; initial?: T }, None, [states: T]>;
  /** With `initial` the third output is its gradient. dDecay has decay's shape. */
  LinearRecurrenceGrad: Kernel<{ decay: T; states: T; initial?: T; dy: T }, None, [dDecay: T, dInput: T, dInitial?: T]>;

  /** y_t = Σ_{l ≤ t} kernel_l u_{t−l} per channel; u [B, T, C], kernel [C, L], any L → y [B, T, C]. */
  CausalConvolution: Kernel<{ u: T; kernel: T }, None, [y: T]>;
  CausalConvolutionGrad: Kernel<{ u: T; kernel: T; dy: T }, None, [du: T, dKernel: T]>;

  /** Mamba's recurrence (`selective-scan.ts`); x, delta [B, T, E], dynamics [E, N], input, output [B, T, N] → y [B, T, E]. */
  SelectiveScan: Kernel<{ x: T; delta: T; dynamics: T; input: T; output: T }, None, [y: T]>;
  SelectiveScanGrad: Kernel<
    { x: T; delta: T; dynamics: T; input: T; output: T; dy: T },
    None,
    [dx: T, dDelta: T, dDynamics: T, dInput: T, dOutput: T]
  >;

  /**
   * RWKV's mean of the values so far (`weighted-mean.ts`); keys, values [B, T, C], decay, first [C] → y [B, T, C]. Weights
   * grow or shrink with age.
   */
  WeightedMean: Kernel<{ keys: T; values: T; decay: T; first: T }, { growing: boolean }, [y: T]>;
  WeightedMeanGrad: Kernel<
    { keys: T; values: T; decay: T; first: T; dy: T },
    { growing: boolean },
    [dKeys: T, dValues: T, dDecay: T, dFirst: T]
  >;

  /**
   * y_t = S_tᵀ q_t with S_t = decay_h S_{t−1} + k_t v_tᵀ; queries, keys [B, H, T, D], values [B, H, T, E], decays [H] →
   * y [B, H, T, E]. Decays have no gradient.
   */
  DecayingRead: Kernel<{ queries: T; keys: T; values: T; decays: T }, None, [y: T]>;
  DecayingReadGrad: Kernel<
    { queries: T; keys: T; values: T; decays: T; dy: T },
    None,
    [dQueries: T, dKeys: T, dValues: T]
  >;
  /** The same with S_t = diag(e^{logGates_t}) S_{t−1} + k_t v_tᵀ; logGates [B, H, T, D], none positive. */
  GatedRead: Kernel<{ queries: T; keys: T; values: T; logGates: T }, None, [y: T]>;
  GatedReadGrad: Kernel<
    { queries: T; keys: T; values: T; logGates: T; dy: T },
    None,
    [dQueries: T, dKeys: T, dValues: T, dLogGates: T]
  >;

  /** store[b, at + t] = rows[b, t] in place; store [B, capacity, C], rows [B, T, C]. No outputs. */
  WriteRows: Kernel<{ store: T; rows: T }, { at: number }, []>;

  /**
   * Clips the gradients to the global norm `clip` (0: no clipping) and takes one AdamW step, in place, on `count`
   * parameters: inputs parameter0, gradient0, first0, second0, parameter1, … (first and second: the moments) → the
   * gradient norm before clipping, a scalar. In place: tensors that share a parameter's data (`parameter.clone()`)
   * change with it, so take snapshots with `dataSync()`. Equations: see `adam-w-step.ts`.
   */
  AdamWStep: Kernel<
    Record<`${"parameter" | "gradient" | "first" | "second"}${number}`, T>,
    {
      count: number;
      decayed: boolean[];
      learningRate: number;
      beta1: number;
      beta2: number;
      epsilon: number;
      weightDecay: number;
      step: number;
      clip: number;
    },
    [norm: T]
  >;
}

export type KernelName = keyof KernelContract;

/** Whether the active backend has its own kernel of this name. */
export function hasKernel(name: KernelName): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Runs a kernel of the active backend; nothing is recorded on the tape of gradients inside `withGradient`. */
export function runKernel<Name extends KernelName>(
  name: Name,
  inputs: KernelContract[Name]["inputs"],
  attrs: KernelContract[Name]["attrs"],
): KernelContract[Name]["outputs"] {
  const given = Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
  const outputs = tf.engine().runKernel(name, given as tf.NamedTensorMap, attrs as unknown as tf.NamedAttrMap);
  return (Array.isArray(outputs) ? outputs : [outputs]) as KernelContract[Name]["outputs"];
}

/**
 * Records one step on the tape: `forward` computes the value and saves what the gradient needs, `gradient` returns the
 * gradients of `inputs`, in order, computed at once (TF.js would run each entry of a lazy gradient in its own tidy). What
 * was saved is freed as soon as the gradient has it, and `dy` with it: TF.js would keep both to the end of the pass.
 */
export function withGradient<Value extends tf.Tensor>(
  inputs: tf.Tensor[],
  forward: (save: (tensors: tf.Tensor[]) => void) => Value,
  gradient: (dy: Value, saved: tf.Tensor[]) => tf.Tensor[],
): Value {
  // Nobody records: the way through TF.js's customGrad costs as long as a small kernel.
  if (!tf.engine().isTapeOn()) return tf.tidy(() => forward(() => {}));
  const operation = tf.customGrad((...args: unknown[]) => {
    const save = args[args.length - 1] as (tensors: tf.Tensor[]) => void;
    return {
      value: forward(save),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradients = tf.tidy(() => gradient(dy as Value, saved));
        freeAfterGradient(dy, saved, gradients);
        return gradients;
      },
    };
  });
  return operation(...inputs) as Value;
}

/** Nobody reads these again, unless the pass is itself differentiated, or the caller of the pass gave `dy`. */
export function freeAfterGradient(dy: tf.Tensor, saved: tf.Tensor[], gradients: tf.Tensor[]): void {
  const { gradientDepth, activeScope } = tf.engine().state;
  if (gradientDepth > 0) return;
  tf.dispose(saved.filter((tensor) => !gradients.includes(tensor)));
  if (dy.scopeId === activeScope.id && !gradients.includes(dy)) dy.dispose();
}
