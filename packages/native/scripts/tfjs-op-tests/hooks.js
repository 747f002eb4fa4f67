/**
 * Lets Node load the test files that @tensorflow/tfjs-core ships: they are ES modules written for a bundler, with imports
 * that leave out `.js` and `/index.js`, and a `require` of Jasmine.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const inCore = (url) => /\/tfjs-core\/dist\/.*\.js$/.test(url ?? "") && !url.endsWith("tf-core.node.js");

export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && inCore(context.parentURL)) {
    const path = fileURLToPath(new URL(specifier, context.parentURL));
    const found = [path, `${path}.js`, `${path}/index.js`].find((file) => existsSync(file) && statSync(file).isFile());
    if (found !== undefined) return { url: pathToFileURL(found).href, format: "module", shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!inCore(url)) return next(url, context);
  const source = readFileSync(fileURLToPath(url), "utf8")
    .replace(/\n\/\/# sourceMappingURL=.*/, "")
    .replace("import * as seedrandom from", "import seedrandom from");
  return { format: "module", source: `const require = globalThis.requireForTests;\n${source}`, shortCircuit: true };
}
