/**
 * Memory Mosaics v2 spelled out: one sequence, double precision, a loop for every sum, nothing shared with the model but
 * the names of its parameters. Slow, to be read beside the paper and compared with.
 */
import type { MemoryMosaicV2Config } from "../config.js";

type Vector = number[];
type Numbers = ArrayLike<number>;

/**
 * Scores of the token after each one: [time][vocabulary].
 *
 * @param longDistance of the nearest pair that the long-term memory reads
 */
export function definedLogits(
  config: MemoryMosaicV2Config,
  parameters: Readonly<Record<string, Numbers>>,
  tokens: readonly number[],
  longDistance = config.longDistance,
): Vector[] {
  const { width, heads, hiddenWidth, blocks } = config;
  const size = width / heads;
  const get = (name: string): Numbers => {
    if (parameters[name] === undefined) throw new Error(`no parameter ${name}`);
    return parameters[name];
  };

  let stream = tokens.map((token) => row(get("emb.weight"), token, width));
  for (let block = 0; block < blocks; block++) {
    const at = `blocks.${block}`;
    const normalised = stream.map((x) => layerNorm(x, get(`${at}.ln1.weight`)));
    const near = contextual(`${at}.short`, normalised, 1, config.shortWindow - 1);
    const far = config.longTerm ? contextual(`${at}.long`, normalised, longDistance, tokens.length) : [];
    stream = stream.map((x, t) => add(x, product(get(`${at}.c_proj.weight`), [...near[t]!, ...(far[t] ?? [])])));
    stream = stream.map((x) => add(x, persistent(`${at}.pmem`, layerNorm(x, get(`${at}.ln2.weight`)))));
  }
  const head = get(config.tieWeights ? "emb.weight" : "head.weight");
  return stream.map((x) => product(head, layerNorm(x, get("ln_out.weight"))));

  /** The reads of all heads at all times, the pairs `nearest` … `farthest` tokens back. */
  function contextual(name: string, inputs: Vector[], nearest: number, farthest: number): Vector[] {
    const reads: Vector[] = inputs.map(() => []);
    for (let head = 0; head < heads; head++) {
      const part = (vector: Vector) => vector.slice(head * size, (head + 1) * size);
      const scalar = (parameter: string) => get(`${name}.${parameter}`)[head]!;
      const rowOf = (parameter: string) => row(get(`${name}.${parameter}`), head, width);

      const keys: Vector[] = [];
      let average: Vector = Array(size).fill(0);
      for (const x of inputs) {
        const raw = part(product(get(`${name}.key.weight`), x));
        const gate = config.timeVariantKeys ? Math.exp(Math.max(-30, Math.min(30, dot(rowOf("gate.weight"), x)))) : 1;
        const keep = config.timeVariantKeys
          ? Math.exp(-Math.abs(dot(rowOf("forget.weight"), x)))
          : Math.exp(-Math.abs(10 * scalar("forget")));
        average = average.map((sum, i) => keep * sum + gate * raw[i]!);
        keys.push(unit(average));
      }

      const values: Vector[] = [];
      const mix = scalar("value.mix");
      const length = Math.exp(Math.min(Math.abs(scalar("value.scale")), 15));
      const raw = inputs.map((x) => part(product(get(`${name}.value.weight`), x)));
      for (let t = 0; t + 1 < inputs.length; t++)
        values.push(unit(raw[t]!.map((now, i) => mix * now + (1 - mix) * raw[t + 1]![i]!)).map((v) => length * v));

      const offset = Math.exp(Math.min(scalar("bandwidth.offset"), 10));
      const factor = Math.exp(Math.min(scalar("bandwidth.factor"), 10));
      const exponent = config.adaptiveBandwidth ? Math.min(Math.abs(scalar("bandwidth.exponent")), 1) : 0;
      for (let t = 0; t < inputs.length; t++) {
        const readable: number[] = [];
        for (let j = 0; j <= t; j++) if (t - j >= nearest && t - j <= farthest) readable.push(j);
        const bandwidth = factor * readable.length ** exponent + offset;
        const weights = readable.map((j) => Math.exp(bandwidth * dot(keys[t]!, keys[j]!)));
        const total = weights.reduce((a, b) => a + b, 0);
        let read: Vector = Array(size).fill(0);
        for (const [i, j] of readable.entries())
          read = add(
            read,
            values[j]!.map((value) => (weights[i]! / total) * value),
          );
        reads[t]!.push(...read);
      }
    }
    return reads;
  }

  function persistent(name: string, x: Vector): Vector {
    const gates = product(get(`${name}.w1.weight`), x);
    const inputs = product(get(`${name}.w3.weight`), x);
    const hidden = Array.from({ length: hiddenWidth }, (_, i) => (gates[i]! / (1 + Math.exp(-gates[i]!))) * inputs[i]!);
    return product(get(`${name}.w2.weight`), hidden);
  }
}

/** Mean cross-entropy of the targets, in nats. */
export function definedLoss(logits: Vector[], targets: readonly number[]): number {
  let sum = 0;
  for (const [t, scores] of logits.entries())
    sum += Math.log(scores.reduce((total, score) => total + Math.exp(score), 0)) - scores[targets[t]!]!;
  return sum / targets.length;
}

function dot(a: Numbers, b: Numbers, from = 0): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[from + i]! * b[i]!;
  return sum;
}

/** Row `at` of a matrix of rows of this width. */
function row(matrix: Numbers, at: number, width: number): Vector {
  return Array.from({ length: width }, (_, i) => matrix[at * width + i]!);
}

/** Matrix, row after row, times vector. */
function product(matrix: Numbers, x: Vector): Vector {
  return Array.from({ length: matrix.length / x.length }, (_, at) => dot(matrix, x, at * x.length));
}

function add(a: Vector, b: Vector): Vector {
  return a.map((value, i) => value + b[i]!);
}

function unit(x: Vector): Vector {
  const length = Math.sqrt(dot(x, x));
  return length === 0 ? x : x.map((value) => value / length);
}

function layerNorm(x: Vector, weight: Numbers): Vector {
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * weight[i]!);
}
