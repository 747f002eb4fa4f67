/**
 * The rules by which BabiStories was cleaned, as data: the phrases of the authors' published filter, in its order. A story
 * is cut at the first occurrence of each marker, one marker after the other, so what an earlier one cut off a later one
 * does not see. Phrases that the published list repeats stand here once: a repetition finds nothing more.
 */

/** Where a story turns into talk about its moral. */
const MORALS = [
  "This is the moral of the story:",
  "The story ends with a moral:",
  "They knew the moral:",
  "(Moral of the story",
  "However, the moral of the story is this:",
  "It's the moral of our story",
  "The story teaches us a moral:",
  "The moral value:",
  "Here is a moral:",
  "So the moral is:",
  " Moral of the Story:",
  "That is the moral of the story",
  "The moral of this",
  "And that's the moral of",
  "This story has a moral:",
  "They learned a moral:",
  "Here's your little moral:",
  "And so, they all learned the moral:",
  " And the moral is:",
  "And that's the moral value of",
  "So, the moral of",
  "This story has a moral value:",
  "That was the moral of the story",
  "In this story, the moral is",
  "And that is the moral of this story",
  "Here is the moral of our story",
  "This is a good moral for",
  "The moral value here is that",
  "And that's the end, with a very important moral",
  "The hidden moral:",
  "So the moral of this story is:",
  "And so, the moral of the story is that",
  "That's the moral of the story.",
  "This is the moral",
  "And that is the moral of the story",
  "And that was the moral of",
  "And what's the moral of this story?",
  "And so, the moral of the story is:",
  "**Moral of the Story:**",
  "The moral was:",
  "conflict:",
  "bad ending:",
  "he moral lesson is:",
  "The moral of our story is",
  "**Moral of the story:**",
  "**Moral Value:",
  "The moral of the story",
  "The moral is",
  "The moral:",
  "*Moral:",
  "The moral value of this story",
  "So, the moral is",
  "So the moral of the story",
  " And that is the moral of the story.",
  "Moral of the story:",
  "*Moral*:",
  "**Moral**:",
  "* Moral Value:",
  "* Unexpected Event:",
  "* Plot Twist:",
  "Moral Value:",
  "That's the moral:",
  "**Moral value:",
  "* Moral value:",
  "And the moral of",
  "Moral:",
  "The moral?",
];

/** Where the words, features and hints of the prompt come back. */
const LABELS = [
  "Story key words:",
  "Story Keywords:",
  "Theme:",
  "> [Author's Note]",
  "Confused by the bad words?",
  "* Pretty = beautiful",
  "\\\n\n> [Author's Note]",
  "Words:",
  "(Note to the moderators",
  "(3-5 simple paragraphs)",
  "Confused?",
  "Plot twist:",
];

/**
 * In the published list a comma is missing here, which makes one phrase of two that no story holds: so "Dialogue:" cuts
 * nothing. (The second half stands in the list before.)
 */
const FUSED = "Dialogue:Confused by the bad words?";
const SEPARATE = "Dialogue:";

const MORE_LABELS = [
  "Conflict:",
  "Use of words:",
  "List of simple words used:",
  "Here are some of the simple words used",
];

/** Where the model adds notes or ends. */
const NOTES_AND_ENDS = [
  "(Note:",
  "*Note",
  "*\n\n*Note:",
  "Note:",
  "##### *Note:",
  "###\n\n(Note:",
  "*(Note:",
  "* Note :",
  "Notes:",
  "(Note to parents",
  "The end",
  "The end!",
  "Note to Parents:",
  "The End",
  "Characters:",
  "Development Notes:",
  "** Note on difficulty",
  "* (Note to reader:",
  "THE END",
  "##",
  "###",
  "####",
];

/** @param fusedDialogue as published; false lets "Dialogue:" cut like the other labels */
export function cutMarkers(fusedDialogue: boolean): readonly string[] {
  return [...MORALS, ...LABELS, fusedDialogue ? FUSED : SEPARATE, ...MORE_LABELS, ...NOTES_AND_ENDS];
}

/** Where a chat would go on; applied after the markers. */
export const TURN_MARKERS: readonly string[] = Array.from({ length: 10 }, (_, turn) => `User ${turn}:`);

/** A story that holds one of these is left out. */
export const REJECTED: readonly string[] = [..."http == --- \\ * # < > &quot &nbsp % ^ / @ [ ] { } + ( )".split(" ")];

/** What stands between the prompt and the story in the text of an instruction-tuned model. */
export const INSTRUCTION_END = "[/INST]";
