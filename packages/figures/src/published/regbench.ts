/**
 * RegBench results published with Memory Mosaics (arXiv 2405.06394, Figure 9), read off the picture: ±0.003, and ±0.01
 * where markers hide each other (`hidden`). Also the n-gram lines of RegBench's own figure (arXiv 2401.12973).
 */

export const PUBLISHED_ENVIRONMENTS = [100, 500, 1000, 2500, 40000] as const;

interface PublishedCurves {
  readonly accuracy: readonly number[];
  readonly totalVariation: readonly number[];
  /** Points that are partly hidden in the picture: the metric, and the index of the environment count. */
  readonly hidden?: readonly (readonly ["accuracy" | "totalVariation", number])[];
}

// Values for 100, 500, 1000, 2500 and 40000 training environments.
export const publishedRegbench: Readonly<Record<string, PublishedCurves>> = {
  "memory-mosaic": {
    accuracy: [0.924, 0.928, 0.934, 0.941, 0.959],
    totalVariation: [0.569, 0.254, 0.216, 0.186, 0.122],
  },
  transformer: {
    accuracy: [0.523, 0.543, 0.533, 0.925, 0.951],
    totalVariation: [0.682, 0.643, 0.63, 0.233, 0.144],
    hidden: [["totalVariation", 2]],
  },
  mamba: {
    accuracy: [0.377, 0.578, 0.716, 0.865, 0.914],
    totalVariation: [0.753, 0.605, 0.484, 0.342, 0.271],
    hidden: [["totalVariation", 3]],
  },
  "linear-transformer": {
    accuracy: [0.464, 0.486, 0.51, 0.798, 0.927],
    totalVariation: [0.742, 0.641, 0.63, 0.34, 0.192],
    hidden: [
      ["accuracy", 2],
      ["accuracy", 4],
      ["totalVariation", 0],
      ["totalVariation", 2],
      ["totalVariation", 4],
    ],
  },
  hyena: {
    accuracy: [0.498, 0.579, 0.655, 0.768, 0.906],
    totalVariation: [0.701, 0.598, 0.539, 0.458, 0.221],
  },
  h3: {
    accuracy: [0.439, 0.505, 0.553, 0.673, 0.892],
    totalVariation: [0.733, 0.674, 0.617, 0.514, 0.237],
    hidden: [
      ["totalVariation", 0],
      ["totalVariation", 1],
    ],
  },
  lstm: {
    accuracy: [0.425, 0.477, 0.507, 0.628, 0.808],
    totalVariation: [0.734, 0.666, 0.64, 0.533, 0.362],
    hidden: [
      ["accuracy", 1],
      ["totalVariation", 2],
    ],
  },
  rwkv: {
    accuracy: [0.401, 0.478, 0.477, 0.56, 0.859],
    totalVariation: [0.766, 0.695, 0.664, 0.6, 0.281],
    hidden: [
      ["accuracy", 1],
      ["totalVariation", 1],
      ["totalVariation", 3],
    ],
  },
  s4d: {
    accuracy: [0.498, 0.531, 0.517, 0.543, 0.822],
    totalVariation: [0.68, 0.63, 0.63, 0.601, 0.337],
    hidden: [["accuracy", 2]],
  },
  retnet: {
    accuracy: [0.375, 0.48, 0.523, 0.522, 0.927],
    totalVariation: [0.769, 0.695, 0.646, 0.617, 0.181],
    hidden: [
      ["accuracy", 2],
      ["accuracy", 3],
      ["accuracy", 4],
      ["totalVariation", 0],
      ["totalVariation", 1],
      ["totalVariation", 2],
      ["totalVariation", 3],
      ["totalVariation", 4],
    ],
  },
  gla: {
    accuracy: [0.355, 0.465, 0.518, 0.52, 0.927],
    totalVariation: [0.777, 0.694, 0.652, 0.618, 0.186],
  },
};

/** N-gram predictors with back-off, which need no training environments. */
export const publishedNgrams = {
  "2-gram": { accuracy: 0.834, totalVariation: 0.337 },
  "3-gram": { accuracy: 0.937, totalVariation: 0.265 },
} as const;
