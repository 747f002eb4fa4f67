import { readdirSync } from "node:fs";

/** One jest project per package, run from TypeScript source as native ES modules. */
const packages = readdirSync(new URL("packages", import.meta.url));

export default {
  projects: packages.map((name) => ({
    displayName: name,
    rootDir: `packages/${name}`,
    roots: ["<rootDir>/src"],
    testMatch: ["**/*.test.ts"],
    setupFiles: ["<rootDir>/../../scripts/jest-setup.js"],
    testEnvironment: "<rootDir>/../../scripts/jest-environment.js",
    testEnvironmentOptions: { customExportConditions: ["mm-src", "node", "node-addons"] },
    extensionsToTreatAsEsm: [".ts"],
    moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
    transform: {
      "^.+\\.ts$": [
        "@swc/jest",
        { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "es6" } },
      ],
    },
  })),
  maxWorkers: "100%",
  // What never comes ends a test; a slow machine does not.
  testTimeout: 600_000,
};
