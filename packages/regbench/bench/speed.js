/** How long drawing and scoring take, from the build: `node packages/regbench/bench/speed.js`. */
import { cpus } from "node:os";
import { buildProblems, ngramPredictor, score, uniformPredictor } from "@mm/regbench";

const seconds = async (work) => {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start) / 1000;
};
const problems = buildProblems({ environments: 0, seed: 0, valid: 0, test: 500 }).test;
const rows = {
  "draw 2,500 problems": await seconds(() => buildProblems({ environments: 2500, seed: 0, valid: 0, test: 0 })),
  "score 500 problems": await seconds(() => score(uniformPredictor, problems)),
  "score 500 problems beside 2-, 3- and 4-grams": await seconds(() =>
    score(uniformPredictor, problems, { ngrams: [2, 3, 4] }),
  ),
  "answer 500 problems with 3-grams": await seconds(() => score(ngramPredictor(3), problems)),
};
for (const [what, time] of Object.entries(rows)) console.log(`${what.padEnd(46)}${time.toFixed(2).padStart(6)} s`);
console.log(JSON.stringify({ bench: "regbench", node: process.version, processor: cpus()[0]?.model, seconds: rows }));
