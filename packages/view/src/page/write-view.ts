/** Samples: the same prompt, continued by one or more models. */
import type { WritingSettings } from "../inspector.js";
import { element } from "./element.js";
import type { ModelShelf } from "./model-shelf.js";
import { kindName, short } from "./text.js";
import type { View } from "./view.js";

const FIRST_PROMPT = "Once upon a time";
const SETTINGS = [
  { name: "tokens", label: "tokens", value: 80, min: 1, max: 2048, step: 1 },
  { name: "temperature", label: "temperature", value: 0.8, min: 0, max: 10, step: 0.1 },
  { name: "topP", label: "top-p", value: 0.95, min: 0, max: 1, step: 0.01 },
  { name: "seed", label: "seed", value: 1, min: 0, max: 2 ** 31, step: 1 },
] as const;

export function writeView(shelf: ModelShelf): View {
  const prompt = element(
    "textarea",
    { rows: 2, spellcheck: "false", "aria-label": "Beginning of the text", on: { keydown: pressed } },
    FIRST_PROMPT,
  );
  const inputs = SETTINGS.map(({ name, label, ...range }) => {
    const input = element("input", { type: "number", "aria-label": label, ...range });
    return { name, input, element: element("label", {}, label, input) };
  });
  const choices = element("div", { class: "choices" });
  const go = element("button", { type: "button", class: "main", on: { click: toggle } }, "Write");
  const texts = element("div", { class: "columns" });
  const chosen = new Set<string>();
  let writing: AbortController | undefined;
  let started = false;

  function pressed(event: Event): void {
    const { key, ctrlKey, metaKey } = event as KeyboardEvent;
    if (key === "Escape") prompt.blur();
    if (key === "Enter" && (ctrlKey || metaKey)) toggle();
  }

  function toggle(): void {
    if (writing === undefined) void write();
    else writing.abort();
  }

  async function start(): Promise<void> {
    started = true;
    const entries = await shelf.entries();
    for (const { id } of entries.slice(0, 2)) chosen.add(id);
    choices.replaceChildren(
      ...entries.map(({ id, name, kind }) => {
        const box = element("input", { type: "checkbox", checked: chosen.has(id), on: { change } });
        function change(): void {
          if (box.checked) chosen.add(id);
          else chosen.delete(id);
        }
        return element("label", { title: kindName(kind) }, box, name);
      }),
    );
  }

  async function write(): Promise<void> {
    writing = new AbortController();
    go.textContent = "Stop";
    const { signal } = writing;
    const settings = Object.fromEntries(
      inputs.map(({ name, input }) => [name, Number(input.value)]),
    ) as unknown as WritingSettings;
    texts.replaceChildren();
    await Promise.all([...chosen].map((id) => writeWith(id, settings, signal)));
    writing = undefined;
    go.textContent = "Write";
  }

  async function writeWith(id: string, settings: WritingSettings, signal: AbortSignal): Promise<void> {
    const title = element("h2", {}, "…");
    const pace = element("small");
    const added = element("span", { class: "added" });
    const story = element("p", { class: "story" }, element("b", {}, prompt.value), added);
    texts.append(element("article", { class: "column" }, element("header", {}, title, pace), story));
    try {
      const inspector = await shelf.open(id, (_, what) => {
        pace.textContent = `${what} …`;
      });
      title.textContent = inspector.card.name;
      pace.textContent = "";
      const began = performance.now();
      let pieces = 0;
      for await (const piece of inspector.write(prompt.value, settings, signal)) {
        added.append(piece);
        pieces++;
        pace.textContent = `${short((1000 * pieces) / (performance.now() - began))} tokens/s`;
      }
    } catch (error) {
      if (!signal.aborted) story.append(element("span", { class: "failure" }, ` ${(error as Error).message}`));
    }
  }

  return {
    name: "write",
    title: "Write",
    element: element(
      "section",
      { class: "write-view" },
      element(
        "div",
        { class: "question" },
        prompt,
        element("div", { class: "menus" }, ...inputs.map((each) => each.element), go),
      ),
      choices,
      texts,
    ),
    keys: [
      { keys: ["w", "Enter"], label: "w", meaning: "write, or stop (Ctrl-Enter in the text)", press: toggle },
      { keys: ["e", "/"], label: "e", meaning: "edit the prompt (Esc leaves it)", press: () => prompt.focus() },
    ],
    show() {
      if (!started)
        start().catch((error: Error) => {
          choices.textContent = error.message;
        });
    },
    hide: () => writing?.abort(),
  };
}
