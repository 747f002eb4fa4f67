/** Unit vectors per head, the shared end of the key and value extractors. */

/**
 * Scales every head of every row of y [rows, H·D], in place, to length scale_h; zero vectors stay zero.
 *
 * @param norms [rows, H], receives the lengths before
 */
export function toScaledUnits(y: Float32Array, norms: Float32Array, scale: Float32Array): void {
  const heads = scale.length;
  const depth = y.length / norms.length;
  for (let part = 0, at = 0; part < norms.length; part++, at += depth) {
    let squares = 0;
    for (let i = at; i < at + depth; i++) squares += y[i]! * y[i]!;
    const norm = Math.sqrt(squares);
    norms[part] = norm;
    const factor = norm === 0 ? 0 : scale[part % heads]! / norm;
    for (let i = at; i < at + depth; i++) y[i]! *= factor;
  }
}

/**
 * The gradient through `toScaledUnits`, y = s·z/‖z‖: dz = s/‖z‖ · (dy − ŷ (ŷ·dy)), ds = Σ ŷ·dy, with ŷ = z/‖z‖ = y/s.
 *
 * @param dz receives the gradient of z
 * @param dScale [H], receives the gradient of the scale
 */
export function scaledUnitsGradient(
  y: Float32Array,
  norms: Float32Array,
  scale: Float32Array,
  dy: Float32Array,
  dz: Float32Array,
  dScale: Float32Array,
): void {
  const heads = scale.length;
  const depth = y.length / norms.length;
  const sums = new Float64Array(heads);
  for (let part = 0, at = 0; part < norms.length; part++, at += depth) {
    const norm = norms[part]!;
    if (norm === 0) {
      dz.fill(0, at, at + depth);
      continue;
    }
    const head = part % heads;
    const s = scale[head]!;
    let along = 0;
    for (let i = at; i < at + depth; i++) along += y[i]! * dy[i]!;
    along /= s;
    sums[head]! += along;
    const factor = s / norm;
    const back = along / s;
    for (let i = at; i < at + depth; i++) dz[i] = factor * (dy[i]! - y[i]! * back);
  }
  dScale.set(sums);
}
