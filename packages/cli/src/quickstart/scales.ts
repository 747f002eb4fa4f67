/**
 * How much of everything `mm quickstart` does. "laptop" is meant to end within six minutes on two cores without the native
 * backend; "tiny" takes about a minute and shows that every part works, not what the models can do.
 */
export interface Scale {
  readonly stories: number;
  /** Fields of both language models. */
  readonly model: { blocks: number; heads: number; width: number; contextLength: number };
  /** Fields of both trainings. */
  readonly training: { steps: number; batch: number; evaluateEvery: number; windows: number };
  readonly regbench: {
    model: { blocks: number; heads: number; width: number };
    environments: number;
    epochs: number;
    batch: number;
    valid: number;
    test: number;
    learningRate: number;
  };
}

export const scales = {
  tiny: {
    stories: 400,
    model: { blocks: 1, heads: 2, width: 32, contextLength: 64 },
    training: { steps: 30, batch: 4, evaluateEvery: 10, windows: 8 },
    regbench: {
      model: { blocks: 1, heads: 2, width: 32 },
      environments: 8,
      epochs: 2,
      batch: 4,
      valid: 4,
      test: 8,
      learningRate: 2e-3,
    },
  },
  laptop: {
    stories: 4000,
    model: { blocks: 1, heads: 4, width: 64, contextLength: 128 },
    training: { steps: 72, batch: 2, evaluateEvery: 24, windows: 8 },
    regbench: {
      model: { blocks: 2, heads: 4, width: 32 },
      environments: 48,
      epochs: 8,
      batch: 8,
      valid: 16,
      test: 48,
      learningRate: 2e-3,
    },
  },
} as const satisfies Record<string, Scale>;

export type ScaleName = keyof typeof scales;
