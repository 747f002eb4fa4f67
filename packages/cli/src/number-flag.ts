import { UserError } from "@mm/run";
import { Flags } from "@oclif/core";

/** A flag that takes a number, whole or not, within bounds. */
export const numberFlag = Flags.custom<number, { min?: number; max?: number }>({
  async parse(text, _context, { name, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) {
    const value = Number(text);
    if (text.trim() !== "" && value >= min && value <= max) return value;
    const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new UserError(`Expected --${name} to be a number ${range} but found "${text}".`);
  },
});
