/** A kind of work that a queue can carry to other machines. */
export interface JobKind {
  /** The queue's name after "mm-"; letters and hyphens. */
  readonly name: string;
  readonly title: string;
  /** Jobs that a worker takes at once at most, where they need more of the machine than waiting for an answer. */
  readonly most?: number;
  /** Gets ready for jobs; called once per worker process. */
  open(options: JobOptions): Promise<OpenJobKind>;
}

export interface JobOptions {
  /** Jobs under way at most. */
  readonly concurrency: number;
  /** Where the key of an endpoint lies on this machine; it never travels through the queue. */
  readonly key: { readonly variable?: string | undefined; readonly file?: string | undefined };
}

export interface OpenJobKind {
  /**
   * Does one job; data and result are plain JSON.
   *
   * @throws UserError when no job of this kind can succeed here: the worker then stops
   */
  run(data: unknown, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}
