/**
 * Compiles the addon and the C++ tests for arm64 (NEON) with a cross compiler, and runs the tests under emulation. On
 * Debian: apt-get install g++-aarch64-linux-gnu qemu-user.
 *
 *   node packages/native/scripts/arm64.js
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = "aarch64-linux-gnu";
const run = (command, args, environment = {}) =>
  execFileSync(command, args, { stdio: "inherit", env: { ...process.env, ...environment } });

run("node", [`${root}scripts/build.js`, "--tests", "--strict"], { CXX: `${target}-g++` });
run("qemu-aarch64", ["-L", `/usr/${target}`, `${root}build/${target}/tests`]);
