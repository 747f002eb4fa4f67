/**
 * A small template language: `{slot}` is a word of the scene, `[this|that]` one of several texts with equal chance, an
 * empty alternative included. The writer capitalises the first word of each sentence and turns "a" into "an".
 */
import type { Rng } from "@mm/run";

type Node<Scene> = string | ((scene: Scene) => string) | readonly Template<Scene>[];

/** A compiled template. */
export type Template<Scene> = readonly Node<Scene>[];

/** Words of a scene by slot name. */
export type Slots<Scene> = Record<string, (scene: Scene) => string>;

/** @throws Error for an unknown slot or unbalanced brackets: a mistake in a template */
export function compile<Scene>(text: string, slots: Slots<Scene>): Template<Scene> {
  let at = 0;
  const sequence = (inside: boolean): Template<Scene> => {
    const nodes: Node<Scene>[] = [];
    while (at < text.length) {
      const character = text[at]!;
      if (character === "[") {
        at++;
        const choices: Template<Scene>[] = [sequence(true)];
        while (text[at] === "|") {
          at++;
          choices.push(sequence(true));
        }
        if (text[at] !== "]") throw new Error(`missing "]" in "${text}"`);
        at++;
        nodes.push(choices);
      } else if (character === "{") {
        const end = text.indexOf("}", at);
        const name = text.slice(at + 1, end);
        const slot = slots[name];
        if (end < 0 || slot === undefined) throw new Error(`unknown slot "${name}" in "${text}"`);
        nodes.push(slot);
        at = end + 1;
      } else if (inside && (character === "|" || character === "]")) {
        break;
      } else {
        const rest = text.slice(at);
        const length = Math.max(1, rest.search(/[[\]{}|]/) < 0 ? rest.length : rest.search(/[[\]{}|]/));
        nodes.push(rest.slice(0, length));
        at += length;
      }
    }
    return nodes;
  };
  return sequence(false);
}

/** "an apple", "a unicorn", "an hour". */
export function indefinite(words: string): string {
  return `${takesAn(words) ? "an" : "a"} ${words}`;
}

function takesAn(words: string): boolean {
  return /^(?:[aeio]|u(?!ni|se)|hour|honest)/i.test(words);
}

/** Gathers the words of a story. */
export class StoryWriter<Scene> {
  readonly #scene: Scene;
  readonly #rng: Rng;
  /** The text so far; joined once, at the end. */
  readonly #parts: string[] = [];
  /** True where the next letter begins a sentence. */
  #capital = true;
  #quoting = false;

  constructor(scene: Scene, rng: Rng) {
    this.#scene = scene;
    this.#rng = rng;
  }

  /** Adds the text of a template, one or more sentences, after a blank. */
  add(template: Template<Scene>): void {
    if (this.#parts.length > 0) this.#parts.push(" ");
    this.#capital = true;
    this.#quoting = false;
    this.#expand(template);
  }

  get text(): string {
    return this.#parts.join("");
  }

  #expand(template: Template<Scene>): void {
    for (const node of template) {
      if (typeof node === "string") this.#put(node);
      else if (typeof node === "function") this.#put(node(this.#scene));
      else this.#expand(this.#rng.pick(node));
    }
  }

  #put(words: string): void {
    const before = this.#parts.at(-1) ?? "";
    if (/(?:^|[ "])[Aa] $/.test(before) && takesAn(words)) this.#parts.push(`${this.#parts.pop()!.slice(0, -1)}n `);
    this.#parts.push(this.#capital || /[.!?"]/.test(words) ? this.#punctuate(words, before.at(-1)) : words);
  }

  /** Capitalises after the end of a sentence; after "…!" or "…?" in quotation marks the sentence goes on ("he said"). */
  #punctuate(words: string, last: string | undefined): string {
    let out = "";
    for (const character of words) {
      if (character === '"') {
        if (this.#quoting && (last === "!" || last === "?")) this.#capital = false;
        this.#quoting = !this.#quoting;
      }
      const letter = character.toLowerCase() !== character.toUpperCase();
      out += letter && this.#capital ? character.toUpperCase() : character;
      if (letter) this.#capital = false;
      if (character === "." || character === "!" || character === "?") this.#capital = true;
      last = character;
    }
    return out;
  }
}
