/**
 * The part that all language models of the zoo share: a network gives a state per position, and one matrix [vocabulary,
 * width] turns states into logits and losses. Training goes through the fused head and loss, so that the logits of a
 * large vocabulary never exist whole.
 */
import { embedding, linear, linearCrossEntropy, linearTokenLosses, tiedEmbedding } from "@mm/ops";
import { UserError } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inference, type LanguageModel, type Mode } from "./model.js";
import { isDecayed, type ParameterTable } from "./parameters.js";

/** Looks up the rows of a matrix: int32 [batch, time] → [batch, time, width]. */
export type Embed = (weight: tf.Tensor2D, tokens: tf.Tensor2D) => tf.Tensor;

interface HeadedModel<Config extends LanguageModel["config"]> {
  config: Config;
  parameters: ParameterTable;
  variables: Record<string, tf.Variable>;
  /** The network up to the head: int32 [batch, time] → [batch, time, width]. */
  states(tokens: tf.Tensor2D, mode: Mode, embed: Embed): tf.Tensor3D;
  /** Name of the head's matrix. */
  head: string;
  /** Factor of the logits. */
  logitScale: number;
  /** First positions without logits and loss. */
  skipTokens: number;
}

export function headedModel<Config extends LanguageModel["config"]>(model: HeadedModel<Config>): LanguageModel {
  const { config, parameters, variables, states, logitScale: scale, skipTokens } = model;
  const weight = variables[model.head] as tf.Tensor as tf.Tensor2D;

  function checked(tokens: tf.Tensor2D): tf.Tensor2D {
    const time = tokens.shape[1];
    if (time > config.contextLength)
      throw new UserError(`Expected at most ${config.contextLength} tokens (contextLength), found ${time}.`, {
        hint: "Shorten the sequences, or train a model with a larger model.contextLength.",
      });
    return tokens;
  }

  return {
    name: config.kind,
    config,
    variables: () => variables,
    decayed(name) {
      const parameter = parameters[name];
      if (parameter === undefined) throw new Error(`the model has no parameter named ${name}`);
      return isDecayed(parameter);
    },
    logits: (tokens, mode = inference) =>
      tf.tidy(() => {
        const read = from(states(checked(tokens), mode, embedding), skipTokens);
        return tf.mul<tf.Tensor3D>(linear(read, weight), scale);
      }),
    nextLogits: (tokens) =>
      tf.tidy(() => {
        const last = from(states(checked(tokens), inference, embedding), tokens.shape[1] - 1);
        return tf.mul<tf.Tensor2D>(linear(rows(last), weight), scale);
      }),
    loss: (tokens, targets, mode) =>
      tf.tidy(() => {
        let head = weight;
        const embed: Embed = (matrix, tokens) => {
          if (matrix !== weight) return embedding(matrix, tokens);
          const tied = tiedEmbedding(matrix, tokens);
          head = tied.weight;
          return tied.rows;
        };
        const read = rows(from(states(checked(tokens), mode, embed), skipTokens));
        return linearCrossEntropy(read, head, tf.reshape(from(targets, skipTokens), [-1]), { scale });
      }),
    tokenLosses: (tokens, targets) =>
      tf.tidy(() => {
        const read = rows(states(checked(tokens), inference, embedding));
        const losses = linearTokenLosses(read, weight, tf.reshape(targets, [-1]), { scale });
        return tf.reshape(losses, targets.shape);
      }),
    dispose() {
      for (const variable of Object.values(variables)) variable.dispose();
    },
  };
}

/** The positions from `start` on: [batch, time, …] → [batch, time − start, …]. */
function from<T extends tf.Tensor>(x: T, start: number): T {
  return start === 0 ? x : tf.slice(x, [0, start], [-1, -1]);
}

/** [batch, time, width] → [batch · time, width] */
function rows(x: tf.Tensor3D): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape[2]]);
}
