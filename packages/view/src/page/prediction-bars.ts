/** The most probable next tokens, and the one that came. */
import type { TextView } from "../inspector.js";
import { element } from "./element.js";
import { percent, tokenLabel } from "./text.js";

const SHOWN = 6;

export function predictionBars({ predictions, tokens }: TextView, position: number): HTMLElement {
  const came = tokens[position + 1];
  const words = predictions[position]!.slice(0, SHOWN);
  const rows = words.map(({ text, probability }) => bar(text, probability, text === came?.text));
  if (came?.probability !== undefined && !words.some(({ text }) => text === came.text))
    rows.push(bar(came.text, came.probability, true));
  return element("div", { class: "bars" }, element("h4", {}, "What comes next"), ...rows);
}

function bar(text: string, probability: number, came: boolean): HTMLElement {
  return element(
    "div",
    { class: came ? "bar came" : "bar", title: came ? "the token that came" : "" },
    tokenLabel(text),
    element("span", { class: "track" }, element("i", { vars: { "--share": probability } })),
    element("span", { class: "share" }, percent(probability)),
  );
}
