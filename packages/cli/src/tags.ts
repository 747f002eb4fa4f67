/** Tags given on the command line: `--tag ablation=no-peeking` marks every row of a run. */
import { type TagValue, UserError } from "@mm/run";
import { Flags } from "@oclif/core";

export const tagFlag = () =>
  Flags.string({
    summary: "Mark every number of the run, such as ablation=no-peeking; figures can tell it apart.",
    multiple: true,
    multipleNonGreedy: true,
    default: [],
  });

/**
 * Numbers and truth values become such, anything else text.
 *
 * @throws UserError for a tag without a name or an equals sign
 */
export function parseTags(tags: readonly string[]): Record<string, TagValue> {
  return Object.fromEntries(
    tags.map((tag) => {
      const equals = tag.indexOf("=");
      if (equals > 0) return [tag.slice(0, equals), parseValue(tag.slice(equals + 1))];
      throw new UserError(`Expected a tag like "ablation=no-peeking" but found "${tag}".`, {
        hint: "Write --tag name=value.",
      });
    }),
  );
}

/** The tags as words of a command line, which `parseTags` reads back. */
export function tagWords(tags: Readonly<Record<string, TagValue>>): string[] {
  return Object.entries(tags).flatMap(([name, value]) => ["--tag", `${name}=${value}`]);
}

function parseValue(text: string): TagValue {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}
