export * from "./atomic-file.js";
export * from "./config.js";
export * from "./errors.js";
export * from "./listen.js";
export * from "./metrics.js";
export { type PhiloxKey, philox4x32 } from "./philox.js";
export * from "./provenance.js";
export { Rng } from "./rng.js";
export * from "./run-folder.js";
