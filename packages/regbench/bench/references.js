/**
 * What readers that were never trained score, from the build: `node packages/regbench/bench/references.js [SLOW]`.
 * The 500 test problems of seed 0; the first SLOW of them (30) where a problem takes a second of processor time or more.
 */
import {
  baumWelchPredictor,
  buildProblems,
  ngramPredictor,
  oracle,
  posteriorAnswer,
  probabilityPredictor,
  score,
  stateAwarePredictor,
  uniformPredictor,
} from "@mm/regbench";

const problems = buildProblems({ environments: 0, seed: 0, valid: 0, test: 500 }).test;
const few = problems.slice(0, Number(process.argv[2] ?? 30));
let lost = 0;
const fast = {
  uniform: uniformPredictor,
  "2-gram": ngramPredictor(2),
  "3-gram": ngramPredictor(3),
  "4-gram": ngramPredictor(4),
  "Bayes-optimal, told the states": stateAwarePredictor(problems),
  oracle: oracle(problems),
};
const slow = {
  "3-gram": ngramPredictor(3),
  "Baum–Welch, refitted per string": baumWelchPredictor({ refit: "string" }),
  "Baum–Welch, published counting": baumWelchPredictor({ refit: "string", counting: "published" }),
  "Bayes-optimal, 3,000 hypotheses": probabilityPredictor((tokens) => {
    const answer = posteriorAnswer(tokens);
    if (answer.lost > 0) lost++;
    return answer.rows;
  }),
  "Bayes-optimal, told the states": stateAwarePredictor(few),
};
console.log("| reader | problems | accuracy | at all positions | TVD | loss |\n|---|---|---|---|---|---|");
for (const [readers, group] of [
  [fast, problems],
  [slow, few],
]) {
  for (const [name, reader] of Object.entries(readers)) {
    const { pooled } = await score(reader, group);
    const numbers = [pooled.dfaAccuracy, pooled.dfaAccuracyAtAllPositions, pooled.totalVariation, pooled.loss];
    console.log(`| ${name} | ${group.length} | ${numbers.map((number) => number.toFixed(3)).join(" | ")} |`);
  }
}
console.log(`\nThe hypotheses kept turned out all wrong in ${lost} of ${few.length} problems.`);
