/** One head at length: what its parameters mean, and each memory that answered, with what it proposes by itself. */
import type { BranchCard, HeadPlace, Inspector, StoredView, TextView, UseView } from "../inspector.js";
import { element } from "./element.js";
import { wordChip } from "./head-row.js";
import { percent, short } from "./text.js";

/** Letters shown before a stored position. */
const BEFORE = 24;
const USES = 3;

export class HeadDetail {
  readonly element = element("div", { class: "detail" });
  #showsUses = false;
  /** Counts what was asked for, so that late answers are dropped. */
  #asked = 0;

  toggleUses(): void {
    this.#showsUses = !this.#showsUses;
  }

  async show(inspector: Inspector, source: string, text: TextView, position: number, place: HeadPlace): Promise<void> {
    const asked = ++this.#asked;
    const card = text.branches[place.branch]!;
    try {
      const stored = await inspector.stored(source, position, place);
      if (asked !== this.#asked) return;
      const ofText = card.kind === "contextual" || card.kind === "attention";
      const rows = stored.map((thing) =>
        ofText ? this.#memory(text, card, thing) : this.#slot(inspector, place, card, thing, asked),
      );
      const again = () => void this.show(inspector, source, text, position, place);
      this.element.replaceChildren(
        element("p", { class: "meaning" }, ...meaning(card, place.head)),
        rows.length === 0
          ? element(
              "p",
              { class: "meaning" },
              "Nothing is stored yet: at the start of a text there is nothing to read.",
            )
          : element("ol", {}, ...rows),
        ...(!ofText && inspector.card.sampled ? [this.#usesButton(again)] : []),
      );
    } catch (error) {
      if (asked === this.#asked)
        this.element.replaceChildren(element("p", { class: "meaning failure" }, (error as Error).message));
    }
  }

  #usesButton(again: () => void): HTMLElement {
    const press = () => {
      this.toggleUses();
      again();
    };
    return element(
      "button",
      { type: "button", class: "plain wide", on: { click: press } },
      this.#showsUses ? "hide what else they fire on" : "what else do they fire on? (u)",
    );
  }

  /** A pair stored earlier in the text: the key is what came up to there, the value what came then. */
  #memory({ tokens }: TextView, { kind }: BranchCard, { index, weight, words }: StoredView): HTMLElement {
    const part = (from: number, to: number) =>
      tokens
        .slice(from, to)
        .map((token) => token.text)
        .join("")
        .replaceAll("\n", "↵");
    const before = part(Math.max(0, index - BEFORE), index);
    const following = kind === "contextual" ? part(index + 1, index + 2) : "";
    return this.#row(
      weight,
      element(
        "span",
        {
          class: "passage",
          title: kind === "contextual" ? "stored here: what came up to the mark, and what followed" : "read here",
        },
        element("small", {}, String(index + 1)),
        before.length > BEFORE ? `…${before.slice(-BEFORE)}` : before,
        element("mark", {}, part(index, index + 1)),
        following !== "" && element("em", {}, following),
      ),
      words,
    );
  }

  #slot(
    inspector: Inspector,
    place: HeadPlace,
    { banks, kind }: BranchCard,
    thing: StoredView,
    asked: number,
  ): HTMLElement {
    const name = kind === "mlp" ? "unit" : "slot";
    const label = banks > 1 ? `${name} ${thing.index} of bank ${thing.bank + 1}` : `${name} ${thing.index}`;
    const uses = element("ul", { class: "uses" });
    if (this.#showsUses) {
      uses.append(element("li", {}, "looking through the sample …"));
      inspector.uses(place, thing).then(
        (found) => asked === this.#asked && uses.replaceChildren(...found.slice(0, USES).map(use)),
        (error: Error) => uses.replaceChildren(element("li", {}, error.message)),
      );
    }
    return this.#row(
      thing.weight,
      element("span", { class: "passage" }, label),
      thing.words,
      this.#showsUses ? uses : undefined,
    );
  }

  #row(weight: number, what: HTMLElement, words: StoredView["words"], more?: HTMLElement): HTMLElement {
    return element(
      "li",
      {},
      element(
        "span",
        { class: "weight", vars: { "--share": Math.min(1, weight) } },
        weight <= 1 ? percent(weight) : short(weight),
      ),
      what,
      element("span", { class: "words" }, ...words.slice(0, 4).map(wordChip)),
      more,
    );
  }
}

function use({ before, token, after, weight }: UseView): HTMLElement {
  const flat = (text: string) => text.replaceAll("\n", "↵");
  return element(
    "li",
    {},
    element("small", {}, weight <= 1 ? percent(weight) : short(weight)),
    flat(before),
    element("mark", {}, flat(token)),
    flat(after),
  );
}

function meaning({ kind, characters, size }: BranchCard, head: number): (Node | string)[] {
  const bold = (text: string) => element("b", {}, text);
  const character = characters[head];
  if (kind === "attention") return ["Reads this text with queries and keys of its own; it may read the present token."];
  if (kind === "mlp") return [`${size} hidden units; the weight is a unit's activation.`];
  if (character === undefined) return [];
  const { forgettingRate, halfLife, bandwidth, mixing } = character;
  const start = [
    "Forgets at ",
    bold(`λ = ${short(forgettingRate)}`),
    `: half of a token has left the key after ${short(halfLife)} tokens. Bandwidth `,
    bold(`β = ${short(bandwidth)}`),
    ".",
  ];
  if (mixing === undefined) return start;
  return [
    ...start,
    " A value mixes what is there with what follows: ",
    bold(`${short(mixing)} and ${short(1 - mixing)}`),
    ".",
  ];
}
