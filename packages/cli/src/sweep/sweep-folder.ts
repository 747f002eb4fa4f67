/**
 * The folder of a sweep, `results/sweeps/NAME`: `sweep.json` (what belongs to it), `attempts.jsonl` (what was tried, a
 * line each), `configurations/` and `logs/`. The results themselves are runs like any other.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError, writeFileAtomic } from "@mm/run";
import type { Configuration } from "./recipe.js";

/** One try of one configuration that came to an end. */
export interface Attempt {
  readonly name: string;
  readonly status: "finished" | "failed" | "interrupted";
  readonly reason?: string;
  readonly seconds: number;
  /** When it ended, ISO 8601. */
  readonly date: string;
}

export class SweepFolder {
  readonly name: string;
  readonly path: string;

  constructor(sweeps: string, name: string) {
    this.name = name;
    this.path = join(sweeps, name);
  }

  /** Says what belongs to the sweep from now on. */
  write(configurations: readonly Configuration[]): void {
    writeFileAtomic(join(this.path, "sweep.json"), `${JSON.stringify({ configurations }, null, 2)}\n`);
  }

  /** @throws UserError when there is no such sweep */
  read(): Configuration[] {
    const file = join(this.path, "sweep.json");
    if (!existsSync(file)) {
      throw new UserError(`Expected a sweep in ${this.path} but found none.`, {
        hint: "Start one with mm sweep RECIPE; mm list recipes shows those that ship.",
      });
    }
    return (JSON.parse(readFileSync(file, "utf8")) as { configurations: Configuration[] }).configurations;
  }

  record(attempt: Attempt): void {
    appendFileSync(this.#attempts, `${JSON.stringify(attempt)}\n`);
  }

  /** In the order in which they ended; a line torn by a kill is left out. */
  attempts(): Attempt[] {
    if (!existsSync(this.#attempts)) return [];
    return readFileSync(this.#attempts, "utf8")
      .split("\n")
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as Attempt];
        } catch {
          return [];
        }
      });
  }

  get #attempts(): string {
    return join(this.path, "attempts.jsonl");
  }
}
