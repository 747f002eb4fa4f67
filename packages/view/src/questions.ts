/** The questions of an inspector as they travel over HTTP: a name and checked arguments in, plain data out. */
import { UserError } from "@mm/run";
import type { HeadPlace, Inspector, WritingSettings } from "./inspector.js";

type Body = Readonly<Record<string, unknown>>;

/** Questions with one answer. */
export const questions: Readonly<Record<string, (inspector: Inspector, body: Body) => Promise<unknown>>> = {
  read: (inspector, body) => inspector.read(text(body, "text")),
  at: (inspector, body) => inspector.at(text(body, "text"), count(body, "position")),
  stored: (inspector, body) => inspector.stored(text(body, "text"), count(body, "position"), place(body)),
  uses: (inspector, body) => inspector.uses(place(body), { bank: count(body, "bank"), index: count(body, "index") }),
};

/** The most tokens that one request may ask for. */
const MOST_TOKENS = 2048;

/** What `write` asks for. */
export function writingRequest(body: Body): { prompt: string; settings: WritingSettings } {
  const settings = {
    tokens: number(body, "tokens", 1, MOST_TOKENS),
    temperature: number(body, "temperature", 0, 10),
    topP: number(body, "topP", 0, 1),
    seed: count(body, "seed"),
  };
  return { prompt: text(body, "prompt"), settings };
}

function place(body: Body): HeadPlace {
  return { branch: count(body, "branch"), head: count(body, "head") };
}

function text(body: Body, field: string): string {
  const value = body[field];
  if (typeof value !== "string") throw new UserError(`Expected text in ${field}, found ${typeof value}.`);
  return value;
}

function number(body: Body, field: string, least: number, most: number): number {
  const value = body[field];
  if (typeof value !== "number" || !(value >= least && value <= most))
    throw new UserError(`Expected a number from ${least} to ${most} in ${field}, found ${JSON.stringify(value)}.`);
  return value;
}

function count(body: Body, field: string): number {
  const value = body[field];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new UserError(`Expected a whole number in ${field}, found ${JSON.stringify(value)}.`);
  return value;
}
