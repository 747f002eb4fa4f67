import type * as tf from "@tensorflow/tfjs";

/** A module's view of the variables: those whose names begin with its own name. */
export class Scope {
  constructor(
    private readonly variables: Readonly<Record<string, tf.Variable>>,
    /** Full name of the module, such as `blocks.0.attn`; empty at the root. */
    readonly name = "",
  ) {}

  at(part: string): Scope {
    return new Scope(this.variables, this.path(part));
  }

  /** The full name of something inside this module. */
  path(part: string): string {
    return this.name === "" ? part : `${this.name}.${part}`;
  }

  get<T extends tf.Tensor>(name: string): T {
    const variable = this.variables[this.path(name)];
    if (variable === undefined) throw new Error(`the model has no parameter named ${this.path(name)}`);
    return variable as tf.Tensor as T;
  }

  /** The variable, or nothing when this configuration has none (a bias, usually). */
  find<T extends tf.Tensor>(name: string): T | undefined {
    return this.variables[this.path(name)] as tf.Tensor | undefined as T | undefined;
  }
}
