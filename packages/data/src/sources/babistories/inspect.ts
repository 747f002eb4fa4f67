/** Questions about clean stories that change nothing, for the report: is it English, and does it repeat its prompt? */

/** Words that make up about half of any English story for children. */
const COMMON = new Set(
  `the and a to was he she it of they in her his that had with you i said so for but on were is not be at him all
  one day very up what there when then them are we my as out do this from have did saw like would who could little
  their went big an if or no by once time back about just into your me how get see by after down now`.split(/\s+/),
);
/** The share of common words below which a text is hardly English; stories have 0.4 and more. */
const ENGLISH_SHARE = 0.2;
const RUN = 8;

export function looksEnglish(story: string): boolean {
  const words = story.toLowerCase().match(/[\p{L}']+/gu) ?? [];
  if (words.length < 5) return false;
  return words.filter((word) => COMMON.has(word)).length >= ENGLISH_SHARE * words.length;
}

/** Phrases of the task that no story holds by itself. */
const TASK =
  /\b(?:the (?:verb|noun|adjective) ["“']|the (?:verb|noun|adjective)s? (?:is|are)\b|\d(?:-| to )\d paragraphs|following features|simple words (?:only|that)|year[- ]old(?: child)? (?:would|can|could|might) understand)/i;

/** Whether the story talks about its task, or repeats eight words of the prompt in a row. */
export function leaksPrompt(story: string, prompt: string): boolean {
  if (TASK.test(story)) return true;
  const told = ` ${wordsOf(story).join(" ")} `;
  const asked = wordsOf(prompt);
  for (let at = 0; at + RUN <= asked.length; at++) {
    if (told.includes(` ${asked.slice(at, at + RUN).join(" ")} `)) return true;
  }
  return false;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}
