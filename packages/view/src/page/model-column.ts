/** One model's view of a position: what comes next, and block by block what each head read and proposed. */
import type { HeadView, Inspector, PositionView, TextView } from "../inspector.js";
import { element } from "./element.js";
import { HeadDetail } from "./head-detail.js";
import { type HeadRow, headRow } from "./head-row.js";
import type { ModelShelf } from "./model-shelf.js";
import { predictionBars } from "./prediction-bars.js";
import { kindName, millions } from "./text.js";

interface Listener {
  /** Somebody chose a head of this column. */
  onFocus(): void;
  /** The weights of the chosen head are others than before. */
  onChange(): void;
}

const MEMORY_NAMES = {
  contextual: "Contextual memory",
  persistent: "Persistent memory",
  attention: "Attention",
  mlp: "Feed-forward network",
};

export class ModelColumn {
  readonly element = element("article", { class: "column", hidden: true });
  text: TextView | undefined;
  #inspector: Inspector | undefined;
  #source = "";
  /** Counts the models and texts asked for, so that late answers are dropped. */
  #asked = 0;
  #position = 0;
  #selected = 0;
  #rows: HeadRow[] = [];
  #view: PositionView | undefined;
  readonly #views = new Map<number, Promise<PositionView>>();
  readonly #detail = new HeadDetail();
  readonly #head = element("header");
  readonly #next = element("div", { class: "next" });
  readonly #body = element("div", { class: "blocks" });

  constructor(
    private readonly shelf: ModelShelf,
    private readonly listener: Listener,
  ) {}

  async open(id: string): Promise<void> {
    const asked = ++this.#asked;
    this.element.hidden = id === "";
    this.text = undefined;
    this.#view = undefined;
    this.#inspector = undefined;
    if (id === "") return;
    const notice = element("p", { class: "notice" }, "Opening …");
    this.element.replaceChildren(notice);
    try {
      const inspector = await this.shelf.open(id, (share, what) => {
        notice.textContent = `${what[0]!.toUpperCase()}${what.slice(1)} … ${share > 0 ? `${Math.round(100 * share)} %` : ""}`;
      });
      if (asked !== this.#asked) return;
      this.#inspector = inspector;
    } catch (error) {
      if (asked === this.#asked) this.#fail(error as Error);
      return;
    }
    const { name, kind, parameters, blocks, heads, width } = this.#inspector.card;
    const facts = `${kindName(kind)} · ${millions(parameters)} parameters · ${blocks} × ${heads} heads · width ${width}`;
    this.#head.replaceChildren(element("h2", {}, name), element("p", {}, facts));
    this.element.replaceChildren(this.#head, this.#next, this.#body);
  }

  /** Shows no position of the text yet. */
  async read(source: string): Promise<void> {
    if (this.#inspector === undefined) return;
    const asked = ++this.#asked;
    if (this.text !== undefined && this.#source === source) return;
    try {
      const text = await this.#inspector.read(source);
      if (asked !== this.#asked) return;
      this.text = text;
      this.#source = source;
    } catch (error) {
      if (asked === this.#asked) this.#fail(error as Error);
      return;
    }
    this.#view = undefined;
    this.#views.clear();
    this.element.replaceChildren(this.#head, this.#next, this.#body);
    this.#rows = [];
    this.#build(this.text);
  }

  goTo(position: number): void {
    if (this.text === undefined || this.#inspector === undefined) return;
    this.#position = Math.min(position, this.text.tokens.length - 1);
    this.#next.replaceChildren(predictionBars(this.text, this.#position));
    void this.#show(this.#position);
  }

  /** Weights of the chosen head over the text so far; none for a memory of slots. */
  selectedWeights(): readonly number[] {
    return this.#selectedView()?.weights ?? [];
  }

  focus(): void {
    if (this.text !== undefined) this.listener.onFocus();
  }

  setActive(active: boolean): void {
    this.element.classList.toggle("active", active);
  }

  moveSelection(rows: number): void {
    this.#select(this.#selected + rows, true);
  }

  toggleUses(): void {
    this.#detail.toggleUses();
    this.#showDetail();
  }

  #build(text: TextView): void {
    let block: HTMLElement | undefined;
    const blocks: HTMLElement[] = [];
    for (const [branch, card] of text.branches.entries()) {
      if (branch === 0 || card.block !== text.branches[branch - 1]!.block) {
        block = element("section", { class: "block" }, element("h3", {}, `Block ${card.block + 1}`));
        blocks.push(block);
      }
      const rows = Array.from({ length: card.heads }, (_, head) => {
        const index = this.#rows.length + head;
        return headRow(card, { branch, head }, text.tokens.length, () => {
          this.#select(index, false);
          this.listener.onFocus();
        });
      });
      this.#rows.push(...rows);
      const facts = { persistent: `${card.size} slots a head`, mlp: `${card.size} units` }[card.kind as string];
      block!.append(
        element(
          "div",
          { class: `branch ${card.kind}` },
          element(
            "h4",
            {},
            MEMORY_NAMES[card.kind],
            facts !== undefined && element("small", {}, facts),
            card.characters.length > 0 && element("small", { class: "aside" }, "half-life, bandwidth"),
          ),
          ...rows.map((row) => row.element),
        ),
      );
    }
    this.#body.replaceChildren(...blocks);
    this.#select(Math.min(this.#selected, this.#rows.length - 1), false);
  }

  async #show(position: number): Promise<void> {
    const text = this.text!;
    const wanted = () => position === this.#position && text === this.text;
    try {
      const view = await this.#at(position);
      if (!wanted()) return;
      this.#view = view;
      for (const row of this.#rows) row.show(view[row.place.branch]![row.place.head]!, position);
      this.#showDetail();
      this.listener.onChange();
      // Asked for beforehand; whoever goes there learns whether it failed.
      if (position + 1 < text.tokens.length) this.#at(position + 1).catch(() => {});
    } catch (error) {
      if (wanted()) this.#fail(error as Error);
    }
  }

  #at(position: number): Promise<PositionView> {
    const known = this.#views.get(position) ?? this.#inspector!.at(this.#source, position);
    this.#views.set(position, known);
    return known;
  }

  #select(index: number, scroll: boolean): void {
    this.#selected = Math.max(0, Math.min(this.#rows.length - 1, index));
    for (const [at, row] of this.#rows.entries()) row.element.classList.toggle("selected", at === this.#selected);
    this.#showDetail();
    this.listener.onChange();
    if (scroll) this.#rows[this.#selected]?.element.scrollIntoView({ block: "nearest" });
  }

  #selectedView(): HeadView | undefined {
    const place = this.#rows[this.#selected]?.place;
    return place === undefined ? undefined : this.#view?.[place.branch]?.[place.head];
  }

  #showDetail(): void {
    const row = this.#rows[this.#selected];
    if (row === undefined || this.#view === undefined || this.text === undefined) return;
    row.element.after(this.#detail.element);
    void this.#detail.show(this.#inspector!, this.#source, this.text, this.#position, row.place);
  }

  #fail(error: Error): void {
    this.text = undefined;
    this.element.replaceChildren(this.#head, element("p", { class: "notice failure" }, error.message));
  }
}
