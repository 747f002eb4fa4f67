/**
 * One row of the gradient through softmax and dropout, in WebAssembly SIMD:
 *
 *   softmaxGradientRow(weights, dropped, gradient, groups, minusAlong)
 *
 * gradient ← dropped ∘ gradient + weights · minusAlong, for 4·groups floats (at least one group).
 */
import {
  add,
  addFloats,
  assemble,
  branchIf,
  constant,
  f32,
  get,
  i32,
  increase,
  instantiate,
  loadVector,
  loop,
  multiplyFloats,
  splatFloats,
  storeVector,
  tee,
} from "./assembler.js";

export type SoftmaxGradientRow = (
  weights: number,
  dropped: number,
  gradient: number,
  groups: number,
  minusAlong: number,
) => void;

/** The function over the given memory; undefined where WebAssembly has no SIMD. */
export function softmaxGradientRowIn(memory: WebAssembly.Memory): SoftmaxGradientRow | undefined {
  const [WEIGHTS, DROPPED, GRADIENT, GROUPS, MINUS_ALONG] = [0, 1, 2, 3, 4] as const;
  const body = loop([
    ...get(GRADIENT),
    ...[...get(DROPPED), ...loadVector(0), ...get(GRADIENT), ...loadVector(0), ...multiplyFloats],
    ...[...get(WEIGHTS), ...loadVector(0), ...get(MINUS_ALONG), ...splatFloats, ...multiplyFloats],
    ...[...addFloats, ...storeVector(0)],
    ...[WEIGHTS, DROPPED, GRADIENT].flatMap((place) => increase(place, constant(16))),
    ...[...get(GROUPS), ...constant(-1), ...add, ...tee(GROUPS), ...branchIf(0)],
  ]);
  const code = assemble("softmaxGradientRow", [i32, i32, i32, i32, f32], [], body);
  return instantiate("softmaxGradientRow", code, memory) as SoftmaxGradientRow | undefined;
}
