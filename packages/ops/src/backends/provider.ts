/** What a backend brings along to be chosen: how to load it. */
export interface BackendProvider {
  /** The name it is chosen by. */
  readonly name: string;
  /** One line: what it is and where it runs. */
  readonly description: string;
  /**
   * Makes the backend known to TF.js, ready for `tf.setBackend`.
   *
   * @returns the name TF.js knows it by, its version, and how many threads it uses if it has threads of its own
   * @throws Error whose message says in one sentence why it cannot run here
   */
  load(options: BackendOptions): Promise<{ tfName: string; version: string; threads?: number }>;
  /** Precisions it can compute in; fp32 only when not given. */
  readonly precisions?: readonly ("fp32" | "bf16")[];
  /** What to do when `load` fails, in one sentence. */
  readonly hint?: string;
}

export interface BackendOptions {
  /** Number of threads; all cores when not given. Backends without threads ignore it. */
  threads?: number | undefined;
  /** Of the inputs of matrix products; backends without bf16 refuse it. fp32 when not given. */
  precision?: "fp32" | "bf16" | undefined;
}
