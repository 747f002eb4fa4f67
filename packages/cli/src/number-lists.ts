/** Numbers in flags that oclif has no kind for. */
import { UserError } from "@mm/run";

/** "100,500" → [100, 500] */
export function parseIntegers(text: string, flag: string, least: number): number[] {
  return text.split(",").map((part) => {
    const value = Number(part);
    if (Number.isSafeInteger(value) && value >= least && part.trim() !== "") return value;
    throw new UserError(
      `Expected whole numbers from ${least}, separated by commas, after ${flag}, but found "${part}".`,
      { hint: `For example ${flag} ${least},${least + 1}.` },
    );
  });
}

export function parseMinutes(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new UserError(`Expected minutes after --budget but found "${text}".`, { hint: "For example --budget 30." });
}
