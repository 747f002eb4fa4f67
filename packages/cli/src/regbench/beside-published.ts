import { PUBLISHED_ENVIRONMENTS, publishedRegbench } from "@mm/figures";

/** What Figure 9 shows for a model at this number of environments, if it has that point. */
export function publishedPoint(
  model: string,
  environments: number,
): { dfaAccuracy: number; totalVariation: number } | null {
  const at = (PUBLISHED_ENVIRONMENTS as readonly number[]).indexOf(environments);
  const curve = publishedRegbench[model];
  if (at < 0 || curve === undefined) return null;
  return { dfaAccuracy: curve.accuracy[at]!, totalVariation: curve.totalVariation[at]! };
}

/** The models of Figure 9, in its order. */
export const figureModels: readonly string[] = Object.keys(publishedRegbench);
