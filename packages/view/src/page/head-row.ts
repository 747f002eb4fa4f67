/** One head in one line: its character, what it reads, what it proposes. */
import type { BranchCard, HeadPlace, HeadView, Word } from "../inspector.js";
import { element, svg } from "./element.js";
import { roundPercent, short, tokenLabel } from "./text.js";

export interface HeadRow {
  readonly element: HTMLElement;
  readonly place: HeadPlace;
  show(view: HeadView, position: number): void;
}

const WORDS = 3;
const SLOTS = 3;

/** @param length tokens of the text */
export function headRow(card: BranchCard, place: HeadPlace, length: number, onChoose: () => void): HeadRow {
  const character = card.characters[place.head];
  const reads = element("span", { class: "reads" });
  const words = element("span", { class: "words" });
  const row = element(
    "button",
    { type: "button", class: "head", tabindex: -1, on: { click: onChoose } },
    element("b", {}, card.kind === "mlp" ? "–" : String(place.head + 1)),
    reads,
    words,
    character !== undefined &&
      element(
        "span",
        { class: "character", title: "Half-life of a token in the key, in tokens; bandwidth β" },
        `${short(Number(character.halfLife.toPrecision(2)))} tok`,
        element("i", {}, `β ${short(character.bandwidth)}`),
      ),
  );
  return {
    element: row,
    place,
    show(view, position) {
      reads.replaceChildren(view.weights === undefined ? slotBars(view) : heatStrip(view.weights, position, length));
      words.replaceChildren(...view.words.slice(0, WORDS).map(wordChip));
    },
  };
}

/** Weights by position as a strip as long as the text; the mark is the present. */
function heatStrip(weights: readonly number[], position: number, length: number): SVGElement {
  const cells = weights.flatMap((weight, at) =>
    weight < 0.002
      ? []
      : [svg("rect", { x: at, y: 0, width: 1, height: 1, "fill-opacity": Math.sqrt(weight).toFixed(3) })],
  );
  return svg(
    "svg",
    { class: "strip", viewBox: `0 0 ${length} 1`, preserveAspectRatio: "none", "aria-hidden": true },
    ...cells,
    svg("line", { x1: position + 0.5, x2: position + 0.5, y1: 0, y2: 1 }),
  );
}

function slotBars({ slots = [] }: HeadView): HTMLElement {
  const most = Math.max(1, ...slots.map(({ weight }) => weight));
  return element(
    "span",
    { class: "slots" },
    ...slots
      .slice(0, SLOTS)
      .map(({ index, weight }) =>
        element(
          "span",
          { vars: { "--share": weight / most }, title: `slot ${index}: ${short(weight)}` },
          `#${index}`,
          element("i", {}, weight <= 1 ? roundPercent(weight) : short(weight)),
        ),
      ),
  );
}

export function wordChip({ text, share }: Word): HTMLElement {
  return element(
    "span",
    {
      class: "word",
      title: `${share > 0 ? "+" : ""}${share} to its score`,
      vars: { "--share": Math.min(1, Math.max(0, share) / 3) },
    },
    tokenLabel(text),
  );
}
