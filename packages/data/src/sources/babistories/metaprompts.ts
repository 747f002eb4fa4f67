/**
 * Prompts from TinyStories' files: JSON arrays (or lines) of
 *
 *   { "story": …, "instruction": { "prompt:": "Write a short story …", "words": […], "features": […] }, … }
 *
 * read one entry at a time. The key ends in a colon in the published files; both forms are taken.
 */
import { UserError } from "@mm/run";
import { expandInputs } from "../../files/inputs.js";
import { jsonRecords } from "../../files/json-records.js";
import { readText } from "../../files/text-stream.js";
import type { SourceContext } from "../source.js";
import { FEATURES, type Feature } from "../stories/scene.js";
import type { StoryPrompt } from "./prompts.js";

const ENDINGS = [".json", ".jsonl", ".json.gz", ".jsonl.gz"];

/** @throws UserError for a file that is missing, damaged or of another form */
export async function* readMetaprompts(
  files: readonly string[],
  context: Pick<SourceContext, "signal" | "noteFile">,
): AsyncGenerator<StoryPrompt> {
  const full = { ...context, scratch: "", expectBytes() {} };
  for (const path of expandInputs(files, ENDINGS)) {
    for await (const { value, where } of jsonRecords(readText(path, full), path)) yield promptOf(value, where);
  }
}

function promptOf(value: unknown, where: string): StoryPrompt {
  const instruction = (value as { instruction?: Record<string, unknown> } | null)?.instruction;
  const text = instruction?.["prompt:"] ?? instruction?.["prompt"];
  if (typeof text !== "string" || text.trim() === "") {
    throw new UserError(`Expected a prompt in ${where} (instruction, then "prompt:") but found none.`, {
      hint: "Give the JSON files of TinyStories_all_data.tar.gz.",
    });
  }
  const list = (entry: unknown) => (Array.isArray(entry) ? entry.filter((item) => typeof item === "string") : []);
  const known = (name: string): name is Feature => (FEATURES as readonly string[]).includes(name);
  return { text, words: list(instruction?.["words"]), features: list(instruction?.["features"]).filter(known) };
}
