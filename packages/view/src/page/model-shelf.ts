/** The models that can be opened, each opened once; and the menu to choose one. */
import type { Inspector } from "../inspector.js";
import type { ModelEntry } from "../viewer.js";
import { element } from "./element.js";
import type { Source } from "./source.js";
import { kindName } from "./text.js";

export class ModelShelf {
  readonly #opened = new Map<string, Promise<Inspector>>();
  #entries: Promise<readonly ModelEntry[]> | undefined;

  constructor(private readonly source: Source) {}

  entries(): Promise<readonly ModelEntry[]> {
    this.#entries ??= this.source.models();
    return this.#entries;
  }

  open(id: string, onProgress: (share: number, what: string) => void): Promise<Inspector> {
    const known = this.#opened.get(id);
    if (known !== undefined) return known;
    const opening = this.source.open(id, onProgress);
    this.#opened.set(id, opening);
    opening.catch(() => this.#opened.delete(id));
    return opening;
  }

  /** @param none text of the entry for no model, where there may be none */
  async menu(label: string, chosen: string, onChoose: (id: string) => void, none?: string): Promise<HTMLElement> {
    const options = (await this.entries()).map(({ id, name, kind }) =>
      element("option", { value: id, selected: id === chosen }, `${name} · ${kindName(kind)}`),
    );
    const menu = element(
      "select",
      { "aria-label": label, on: { change: choose } },
      none !== undefined && element("option", { value: "", selected: chosen === "" }, none),
      ...options,
    );
    /** Gives the arrow keys back to the page. */
    function choose(): void {
      menu.blur();
      onChoose(menu.value);
    }
    return menu;
  }
}
