export * from "./babistories.js";
export * from "./regbench.js";
