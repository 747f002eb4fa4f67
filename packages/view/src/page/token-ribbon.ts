/**
 * The text, token by token: where we are, how surprised the model was (the line below each token), and how strongly the
 * chosen head reads each earlier token (its background).
 */
import type { TextView } from "../inspector.js";
import { element } from "./element.js";
import { percent } from "./text.js";

export class TokenRibbon {
  readonly element = element("div", { class: "ribbon", role: "listbox", "aria-label": "Tokens of the text" });
  #view: TextView | undefined;

  constructor(private readonly onChoose: (position: number) => void) {}

  /** @param weights of the chosen head at this position, by position */
  show(view: TextView, position: number, weights: readonly number[]): void {
    if (view !== this.#view) this.#build(view);
    for (const [index, token] of [...this.element.children].entries()) {
      token.setAttribute("aria-selected", String(index === position));
      (token as HTMLElement).style.setProperty("--weight", String(Math.sqrt(weights[index] ?? 0)));
    }
  }

  #build(view: TextView): void {
    this.#view = view;
    this.element.replaceChildren(
      ...view.tokens.map(({ text, probability }, index) =>
        element(
          "button",
          {
            type: "button",
            role: "option",
            tabindex: -1,
            title: `token ${index + 1}${probability === undefined ? "" : `, expected with ${percent(probability)}`}`,
            vars: { "--surprise": probability === undefined ? 0 : surprise(probability) },
            on: { click: () => this.onChoose(index) },
          },
          text.replaceAll("\n", "↵\n"),
        ),
      ),
    );
  }
}

/** 0 for a certain token, 1 for one of a chance of 1 in 10,000 or less. */
function surprise(probability: number): number {
  return Math.min(1, -Math.log10(Math.max(probability, 1e-12)) / 4);
}
