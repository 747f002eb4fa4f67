/**
 * Runs the C++ tests under ThreadSanitizer, then C++ tests and the kernel tests of jest under AddressSanitizer and
 * UndefinedBehaviorSanitizer. Any report fails.
 *
 *   node packages/native/scripts/sanitize.js [thread|address]
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const repository = fileURLToPath(new URL("../../..", import.meta.url));
const wanted = process.argv[2];

function run(command, args, environment = {}) {
  const env = { ...process.env, ...environment };
  execFileSync(command, args, { stdio: "inherit", cwd: repository, env });
}

if (wanted !== "address") {
  run("node", [`${root}scripts/build.js`, "--sanitize", "thread", "--strict"]);
  run(`${root}build/thread/tests`, []);
}
if (wanted !== "thread") {
  run("node", [`${root}scripts/build.js`, "--sanitize", "address", "--strict"]);
  run(`${root}build/address/tests`, []);
  // Node itself is not sanitized: the runtime has to be loaded before it, and what Node keeps is no leak of ours.
  const runtime = ["libasan.so", "libubsan.so"].map((name) =>
    execFileSync(process.env.CXX ?? "g++", [`-print-file-name=${name}`], { encoding: "utf8" }).trim(),
  );
  // The emulated GPU's addon is another, which is not sanitized.
  const tests = ["--selectProjects", "native", "--runInBand", "--testPathIgnorePatterns", "/cuda/"];
  run("node", ["node_modules/jest/bin/jest.js", ...tests], {
    NODE_OPTIONS: "--experimental-vm-modules --no-warnings",
    LD_PRELOAD: runtime.join(":"),
    ASAN_OPTIONS: "detect_leaks=0",
    UBSAN_OPTIONS: "print_stacktrace=1",
    MM_ADDON: `${root}build/address/mm.node`,
  });
}
