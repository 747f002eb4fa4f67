/**
 * The inspector: one text, up to two models, and at each token what every head read. Arrow keys step through tokens (left,
 * right) and heads (up, down).
 */
import { element } from "./element.js";
import { ModelColumn } from "./model-column.js";
import type { ModelShelf } from "./model-shelf.js";
import { TokenRibbon } from "./token-ribbon.js";
import type { View } from "./view.js";

const TEXT_KEY = "mm-text";
const FIRST_TEXT = "Once upon a time there was a little hen. The little hen";

export function inspectView(shelf: ModelShelf): View {
  let text = localStorage.getItem(TEXT_KEY) ?? FIRST_TEXT;
  /** The token looked at: the last one, until somebody goes elsewhere. */
  let position = Number.POSITIVE_INFINITY;
  /** Readings asked for, and the one that is shown: in between nothing is painted, so that no text meets another's position. */
  let asked = 0;
  let shown = 0;
  /** Which column the keys move in. */
  let active = 0;
  let started = false;

  const ribbon = new TokenRibbon((chosen) => goTo(chosen));
  const columns = [0, 1].map(
    (index) =>
      new ModelColumn(shelf, {
        onFocus() {
          active = index;
          for (const [other, column] of columns.entries()) column.setActive(other === index);
          paint();
        },
        onChange: paint,
      }),
  );
  columns[0]!.setActive(true);
  const menus = element("div", { class: "menus" });
  const field = element(
    "textarea",
    {
      rows: 2,
      spellcheck: "false",
      "aria-label": "Text to look into",
      on: { input: textChanged, keydown: leaveField },
    },
    text,
  );
  const status = element("p", { class: "notice", hidden: true });

  function leaveField(event: Event): void {
    if ((event as KeyboardEvent).key === "Escape") field.blur();
  }

  let waiting: ReturnType<typeof setTimeout> | undefined;
  function textChanged(): void {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      text = field.value;
      localStorage.setItem(TEXT_KEY, text);
      void read({ toEnd: true });
    }, 300);
  }

  async function start(): Promise<void> {
    started = true;
    const entries = await shelf.entries();
    if (entries.length === 0) {
      status.hidden = false;
      status.textContent = "There is no Memory Mosaic or GPT-2 to look into yet: train one with `mm train`.";
      return;
    }
    const first = entries[0]!;
    const second = entries.find(({ kind }) => kind !== first.kind) ?? entries[1];
    menus.replaceChildren(
      await shelf.menu("Model", first.id, (id) => choose(0, id)),
      entries.length > 1
        ? await shelf.menu("Second model", second?.id ?? "", (id) => choose(1, id), "no second model")
        : "",
    );
    await Promise.all([choose(0, first.id), second === undefined ? undefined : choose(1, second.id)]);
  }

  async function choose(index: number, id: string): Promise<void> {
    await columns[index]!.open(id);
    await read({ toEnd: false });
  }

  async function read({ toEnd }: { toEnd: boolean }): Promise<void> {
    const reading = ++asked;
    if (toEnd) position = Number.POSITIVE_INFINITY;
    await Promise.all(columns.map((column) => column.read(text)));
    if (reading !== asked) return;
    shown = reading;
    goTo(position);
  }

  /** The text as the first open model reads it. */
  function lead() {
    return columns.map((column) => column.text).find((each) => each !== undefined);
  }

  function goTo(next: number): void {
    const length = lead()?.tokens.length;
    if (length !== undefined) position = Math.max(0, Math.min(length - 1, next));
    for (const column of columns) column.goTo(position);
    paint();
  }

  function paint(): void {
    if (shown !== asked) return;
    const column =
      columns[active]!.text === undefined ? columns.find((each) => each.text !== undefined) : columns[active];
    const view = column?.text;
    if (view !== undefined) ribbon.show(view, position, column!.selectedWeights());
    status.hidden = view === undefined || !view.cut;
    if (view?.cut)
      status.textContent = `Only the first ${view.tokens.length} tokens are shown: the model sees no more at once.`;
  }

  const move = (rows: number) => columns[active]!.moveSelection(rows);
  return {
    name: "inspect",
    title: "Inspect",
    element: element(
      "section",
      { class: "inspect-view" },
      element("div", { class: "question" }, field, menus),
      status,
      ribbon.element,
      element("div", { class: "columns" }, ...columns.map((column) => column.element)),
    ),
    keys: [
      { keys: ["ArrowLeft"], label: "←", meaning: "token before", press: () => goTo(position - 1) },
      { keys: ["ArrowRight"], label: "→", meaning: "token after", press: () => goTo(position + 1) },
      { keys: ["Home"], label: "Home", meaning: "first token", press: () => goTo(0) },
      { keys: ["End"], label: "End", meaning: "last token", press: () => goTo(Number.POSITIVE_INFINITY) },
      { keys: ["ArrowUp"], label: "↑", meaning: "head above", press: () => move(-1) },
      { keys: ["ArrowDown"], label: "↓", meaning: "head below", press: () => move(1) },
      { keys: ["m"], label: "m", meaning: "the other model", press: () => columns[1 - active]!.focus() },
      { keys: ["u"], label: "u", meaning: "what else slots fire on", press: () => columns[active]!.toggleUses() },
      { keys: ["e", "/"], label: "e", meaning: "edit the text (Esc leaves it)", press: () => field.focus() },
    ],
    show() {
      if (!started) start().catch(fail);
    },
  };

  function fail(error: Error): void {
    status.hidden = false;
    status.textContent = error.message;
  }
}
