/** Python for the tests that compare with its libraries: `MM_PYTHON`, or python3. */
import { execFileSync } from "node:child_process";
import { it } from "@jest/globals";

const python = process.env["MM_PYTHON"] ?? "python3";

/** Runs a program; what it prints. */
export function inPython(program: string, ...args: string[]): string {
  return execFileSync(python, ["-c", program, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

/** `it`, or `it.skip` with the reason for the test's name, where Python lacks one of the packages. */
export function withPython(...packages: string[]): { test: typeof it | typeof it.skip; because: string } {
  try {
    inPython(packages.map((name) => `import ${name}`).join("\n"));
    return { test: it, because: "" };
  } catch {
    return { test: it.skip, because: ` (skipped: no Python with ${packages.join(" and ")}; set MM_PYTHON)` };
  }
}
