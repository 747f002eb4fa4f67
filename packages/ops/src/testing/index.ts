export * from "./compare.js";
export * from "./op-cases.js";
