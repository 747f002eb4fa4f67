/**
 * How far each head keeps to one moon. Of a 3 × 3 matrix of complex weights (rows: heads, columns: moons), the share of
 * the squared moduli that lies on the best one-to-one assignment of heads to moons:
 *
 *   score = max over permutations π of Σ_h |w_{h,π(h)}|² / Σ_{h,m} |w_{h,m}|²
 *
 * 1: one moon per head. ⅓: all weights equal. Complex normal weights give 0.55 on average, three matrices at once 0.45.
 */

export interface Disentanglement {
  readonly score: number;
  /** The moon of each head. */
  readonly moons: readonly number[];
}

/**
 * @param matrices of moduli, heads × moons each; every matrix weighs the same, and one assignment serves all of them
 */
export function disentanglement(matrices: readonly (readonly (readonly number[])[])[]): Disentanglement {
  const shares = matrices.map((matrix) => {
    const squares = matrix.map((row) => row.map((value) => value ** 2));
    const total = squares.flat().reduce((sum, value) => sum + value, 0);
    return squares.map((row) => row.map((value) => value / total));
  });
  const score = (moons: readonly number[]) =>
    shares.reduce((sum, share) => sum + moons.reduce((own, moon, head) => own + share[head]![moon]!, 0), 0) /
    shares.length;
  return permutations([...matrices[0]!.keys()])
    .map((moons) => ({ moons, score: score(moons) }))
    .reduce((best, next) => (next.score > best.score ? next : best));
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first) => permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]));
}

export function transposed(matrix: readonly (readonly number[])[]): number[][] {
  return matrix[0]!.map((_, column) => matrix.map((row) => row[column]!));
}
