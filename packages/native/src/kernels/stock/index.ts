import type { NativeKernel } from "../../kernel.js";
import { complexKernels } from "./complex.js";
import { elementwiseKernels } from "./elementwise.js";
import { indexingKernels } from "./indexing.js";
import { productKernels } from "./products.js";
import { reductionKernels } from "./reductions.js";
import { sharingKernels } from "./sharing.js";
import { viewKernels } from "./views.js";

/** Kernels for TF.js's own ops. */
export const stockKernels: readonly NativeKernel[] = [
  ...productKernels,
  ...elementwiseKernels,
  ...reductionKernels,
  ...viewKernels,
  ...sharingKernels,
  ...indexingKernels,
  ...complexKernels,
];
