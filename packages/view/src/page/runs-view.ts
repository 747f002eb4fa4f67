/** Runs and their curves, which grow while `mm train` works. */
import type { RunCard } from "../run-list.js";
import { Chart, type Curve } from "./chart.js";
import { element } from "./element.js";
import type { RunsSource } from "./source.js";
import { kindName, short } from "./text.js";
import type { View } from "./view.js";

const COLORS = ["#3b76d9", "#d9742b", "#2f9e77", "#b657c4", "#c23b4e", "#7f8f2b", "#2f97b5", "#8a6fd8"];
/** Runs that are shown when nobody has chosen. */
const SHOWN_AT_FIRST = 4;
const INTERVAL = 1000;

interface Followed {
  card: RunCard;
  color: string;
  shown: boolean;
  cursor: string;
  curves: Record<string, [number, number][]>;
}

const CHARTS = [
  { title: "Loss (nats per token)", metric: "loss", height: 300 },
  { title: "Tokens per second", metric: "tokensPerSecond", height: 150 },
  { title: "Learning rate", metric: "learningRate", height: 150 },
  { title: "Gradient norm", metric: "gradNorm", height: 150 },
];

export function runsView(source: RunsSource): View {
  const followed = new Map<string, Followed>();
  const charts = CHARTS.map((each) => ({ ...each, chart: new Chart(each.title, each.height) }));
  const list = element("ul", { class: "runs" });
  const notice = element("p", { class: "notice" }, "Looking for runs …");
  let timer: ReturnType<typeof setTimeout> | undefined;
  let visible = false;

  async function follow(): Promise<void> {
    try {
      for (const card of await source.list()) {
        const known = followed.get(card.name);
        if (known !== undefined) known.card = card;
        else followed.set(card.name, newcomer(card));
      }
      const shown = [...followed.values()].filter((run) => run.shown);
      await Promise.all(shown.map(readOn));
      draw();
    } catch (error) {
      notice.textContent = `The viewer does not answer: ${(error as Error).message}`;
      notice.hidden = false;
    }
    if (visible) timer = setTimeout(follow, INTERVAL);
  }

  function newcomer(card: RunCard): Followed {
    const shown = followed.size < SHOWN_AT_FIRST || card.status === "running";
    return { card, shown, color: COLORS[followed.size % COLORS.length]!, cursor: "", curves: {} };
  }

  async function readOn(run: Followed): Promise<void> {
    const { cursor, restarted, curves } = await source.points(run.card.name, run.cursor);
    if (restarted) run.curves = {};
    run.cursor = cursor;
    for (const [name, points] of Object.entries(curves)) {
      run.curves[name] ??= [];
      run.curves[name].push(...(points as [number, number][]));
    }
  }

  function draw(): void {
    const runs = [...followed.values()];
    notice.hidden = runs.length > 0;
    notice.textContent = "No runs yet. Start one with `mm train`; its curves appear here by themselves.";
    const focused = document.activeElement?.closest<HTMLElement>("[data-run]")?.dataset["run"];
    list.replaceChildren(...runs.map(row));
    for (const each of list.querySelectorAll<HTMLElement>("[data-run]"))
      if (each.dataset["run"] === focused) each.querySelector("input")?.focus();
    for (const { metric, chart } of charts)
      chart.show(runs.filter(({ shown }) => shown).flatMap((run) => curvesOf(run, metric)));
  }

  function row(run: Followed): HTMLElement {
    const { card, color, shown } = run;
    const last = (name: string) => run.curves[name]?.at(-1)?.[1];
    const step = Math.max(0, ...Object.values(run.curves).map((points) => points.at(-1)![0]));
    const facts = [
      ["train", last("train loss")],
      ["valid", last("valid loss")],
      ["tok/s", last("train tokensPerSecond")],
    ] as const;
    const box = element("input", { type: "checkbox", checked: shown, on: { change: toggle } });
    function toggle(): void {
      run.shown = box.checked;
      void (run.shown ? readOn(run) : Promise.resolve()).then(draw);
    }
    return element(
      "li",
      { class: card.status, "data-run": card.name },
      element(
        "label",
        { vars: { "--color": color } },
        box,
        element("span", { class: "name" }, card.name),
        element("span", { class: "status" }, card.status),
        element("span", { class: "about" }, [kindName(card.kind), baseName(card.dataset)].filter(Boolean).join(" · ")),
        shown &&
          card.steps > 0 &&
          element("progress", { value: step, max: card.steps, title: `step ${step} of ${card.steps}` }),
        shown &&
          element(
            "span",
            { class: "facts" },
            ...facts.flatMap(([name, value]) =>
              value === undefined ? [] : [element("span", {}, `${name} `, element("b", {}, short(value)))],
            ),
            step > 0 && element("span", {}, "step ", element("b", {}, `${step}`), card.steps > 0 && ` / ${card.steps}`),
          ),
      ),
    );
  }

  return {
    name: "runs",
    title: "Runs",
    keys: [],
    element: element(
      "section",
      { class: "runs-view" },
      element("aside", {}, notice, list),
      element(
        "div",
        { class: "charts" },
        ...charts.map(({ chart }) => chart.element),
        element(
          "p",
          { class: "legend" },
          "Faint: training, with dropout. Dots: validation. Dashed: training text without dropout.",
        ),
      ),
    ),
    show() {
      visible = true;
      void follow();
    },
    hide() {
      visible = false;
      clearTimeout(timer);
    },
  };
}

function curvesOf({ card, color, curves }: Followed, metric: string): Curve[] {
  const curve = (split: string, label: string, style: Curve["style"]): Curve => ({
    ...{ label: `${card.name} ${label}`.trim(), color, style },
    points: curves[`${split} ${metric}`] ?? [],
  });
  if (metric !== "loss") return [curve("train", "", "line")];
  return [
    curve("train", "train", "faint"),
    curve("train-eval", "train, no dropout", "dashed"),
    curve("valid", "valid", "dots"),
  ];
}

function baseName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
