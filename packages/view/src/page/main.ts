/** The page: three views under one roof, a theme, and the keys. */
import { element } from "./element.js";
import { inspectView } from "./inspect-view.js";
import { type Key, listenForKeys } from "./keys.js";
import { ModelShelf } from "./model-shelf.js";
import { runsView } from "./runs-view.js";
import { findSource, type Source } from "./source.js";
import { restoreTheme, switchTheme } from "./theme.js";
import type { View } from "./view.js";
import { writeView } from "./write-view.js";

restoreTheme();
start().catch((error: Error) => {
  document.body.replaceChildren(element("p", { class: "notice failure" }, error.message));
});

async function start(): Promise<void> {
  document.body.replaceChildren(element("p", { class: "notice" }, "Starting …"));
  const source = await findSource();
  const views = viewsOf(source);
  let current: View | undefined;

  const stage = element("main");
  const tabs = views.map((view, index) =>
    element("a", { href: `#${view.name}`, title: `${view.title} (${index + 1})` }, view.title),
  );
  const help = element("dialog", { class: "help", on: { click: () => help.close() } });
  const header = element(
    "header",
    {},
    element("h1", {}, element("span", { class: "mark" }), "mm"),
    element("nav", {}, ...tabs),
    element("span", { class: "place" }, source.place),
    button("?", "Keys (?)", showHelp),
    button("◐", "Light or dark (t)", switchTheme),
  );

  const everywhere: Key[] = [
    ...views.map((view, index) => ({
      ...{ keys: [String(index + 1)], label: String(index + 1), meaning: view.title },
      press: () => {
        location.hash = view.name;
      },
    })),
    { keys: ["t"], label: "t", meaning: "light or dark", press: switchTheme },
    { keys: ["?"], label: "?", meaning: "these keys", press: showHelp },
  ];
  const keys = () => [...(current?.keys ?? []), ...everywhere];

  function showHelp(): void {
    const rows = keys().map(({ label, meaning }) =>
      element("div", {}, element("dt", {}, element("kbd", {}, label)), element("dd", {}, meaning)),
    );
    help.replaceChildren(element("h2", {}, "Keys"), element("dl", {}, ...rows));
    if (help.open) help.close();
    else help.showModal();
  }

  function show(): void {
    const view = views.find(({ name }) => `#${name}` === location.hash) ?? views[0]!;
    if (view === current) return;
    current?.hide?.();
    current = view;
    for (const [index, tab] of tabs.entries())
      tab.setAttribute("aria-current", views[index] === view ? "page" : "false");
    stage.replaceChildren(view.element);
    view.show?.();
  }

  listenForKeys(keys);
  window.addEventListener("hashchange", show);
  document.body.replaceChildren(header, stage, help);
  show();
}

function viewsOf(source: Source): View[] {
  const shelf = new ModelShelf(source);
  const runs = source.runs === undefined ? [] : [runsView(source.runs)];
  return [...runs, inspectView(shelf), writeView(shelf)];
}

function button(text: string, title: string, press: () => void): HTMLElement {
  return element("button", { type: "button", class: "plain", title, "aria-label": title, on: { click: press } }, text);
}
