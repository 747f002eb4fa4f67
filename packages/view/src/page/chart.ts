/** A line chart in SVG: curves over steps, with a reading of all of them where the pointer is. */
import { element, svg } from "./element.js";
import { short } from "./text.js";

export interface Curve {
  readonly label: string;
  readonly color: string;
  readonly points: readonly (readonly [number, number])[];
  /** Few, exact points are drawn as dots on the line, many noisy ones as a faint line. */
  readonly style: "line" | "dots" | "faint" | "dashed";
}

const HEIGHT = 240;
/** More would run together. */
const MOST_DOTS = 40;
/** How far beside a curve's ends, as a share of the axis, it is still read. */
const SLACK = 0.02;
/** Of the figure around the drawing, left and right together. */
const PADDING = 22;
const MARGIN = { top: 10, right: 12, bottom: 24, left: 48 };

export class Chart {
  readonly element: HTMLElement;
  readonly #drawing = svg("svg", { role: "img" });
  readonly #reading = element("div", { class: "reading", hidden: true });
  #curves: readonly Curve[] = [];

  constructor(
    readonly title: string,
    private readonly height = HEIGHT,
  ) {
    this.#drawing.setAttribute("aria-label", title);
    this.#drawing.addEventListener("pointermove", (event) => this.#read(event));
    this.#drawing.addEventListener("pointerleave", () => this.#read(undefined));
    this.element = element(
      "figure",
      { class: "chart" },
      element("figcaption", {}, title),
      this.#drawing,
      this.#reading,
    );
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  show(curves: readonly Curve[]): void {
    this.#curves = curves.filter(({ points }) => points.length > 0);
    this.element.classList.toggle("empty", this.#curves.length === 0);
    this.#draw();
  }

  #scales() {
    const steps = extent(this.#curves, 0);
    const values = extent(this.#curves, 1);
    const y = niceScale(values.low, values.high, 5);
    const x = { low: Math.min(steps.low, 0), high: Math.max(steps.high, 1) };
    const width = Math.max(this.element.clientWidth - PADDING, 200);
    const across = (step: number) =>
      MARGIN.left + ((step - x.low) / (x.high - x.low)) * (width - MARGIN.left - MARGIN.right);
    const up = (value: number) =>
      this.height - MARGIN.bottom - ((value - y.low) / (y.high - y.low)) * (this.height - MARGIN.top - MARGIN.bottom);
    return { x, y, across, up, width };
  }

  #draw(): void {
    if (this.#curves.length === 0) return void this.#drawing.replaceChildren();
    const { x, y, across, up, width } = this.#scales();
    this.#drawing.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.#drawing.setAttribute("height", String(this.height));
    const right = width - MARGIN.right;
    const grid = y.ticks.map((tick) =>
      svg(
        "g",
        { class: "tick" },
        svg("line", { x1: MARGIN.left, x2: right, y1: up(tick), y2: up(tick) }),
        svg("text", { x: MARGIN.left - 8, y: up(tick) + 4, "text-anchor": "end" }, short(tick)),
      ),
    );
    const steps = niceScale(x.low, x.high, width / 70)
      .ticks.filter((tick) => tick <= x.high)
      .map((tick) => svg("text", { x: across(tick), y: this.height - 6, "text-anchor": "middle" }, short(tick)));
    const lines = this.#curves.map(({ points, color, style, label }) => {
      const path = points.map(([step, value]) => `${across(step).toFixed(1)},${up(value).toFixed(1)}`).join(" ");
      const dots = points.length === 1 || (style === "dots" && points.length <= MOST_DOTS) ? points : [];
      return svg(
        "g",
        { class: `curve ${style}`, vars: { "--color": color }, "data-curve": label },
        svg("polyline", { points: path }),
        ...dots.map(([step, value]) => svg("circle", { cx: across(step), cy: up(value), r: 2.6 })),
      );
    });
    this.#drawing.replaceChildren(...grid, svg("g", { class: "tick" }, ...steps), ...lines);
  }

  #read(event: PointerEvent | undefined): void {
    this.#drawing.querySelector(".cursor")?.remove();
    this.#reading.hidden = event === undefined || this.#curves.length === 0;
    if (event === undefined || this.#curves.length === 0) return;
    const { x, across, width } = this.#scales();
    const share = (event.offsetX - MARGIN.left) / (across(x.high) - MARGIN.left);
    const step = x.low + Math.min(1, Math.max(0, share)) * (x.high - x.low);
    const slack = SLACK * (x.high - x.low);
    const nearest = this.#curves
      .filter(({ points }) => points[0]![0] - slack <= step && step <= points.at(-1)![0] + slack)
      .map((curve) => ({ ...curve, point: nearestPoint(curve.points, step) }));
    this.#reading.hidden = nearest.length === 0;
    if (nearest.length === 0) return;
    const at = nearestPoint(
      nearest.map(({ point }) => point),
      step,
    )[0];
    const line = svg("line", {
      class: "cursor",
      x1: across(at),
      x2: across(at),
      y1: MARGIN.top,
      y2: this.height - MARGIN.bottom,
    });
    this.#drawing.append(line);
    this.#reading.replaceChildren(
      element("b", {}, `step ${at.toLocaleString("en")}`),
      ...nearest.map(({ label, color, point }) =>
        element(
          "span",
          {},
          element("i", { class: "swatch", vars: { "--color": color } }),
          `${label} `,
          element("b", {}, short(point[1])),
        ),
      ),
    );
    this.#reading.classList.toggle("left", across(at) > width / 2);
  }
}

/** Least and greatest step (0) or value (1) of all curves. */
function extent(curves: readonly Curve[], part: 0 | 1): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { points } of curves)
    for (const point of points) {
      low = Math.min(low, point[part]);
      high = Math.max(high, point[part]);
    }
  return { low, high };
}

function nearestPoint<Point extends readonly [number, number]>(points: readonly Point[], step: number): Point {
  return points.reduce((best, point) => (Math.abs(point[0] - step) < Math.abs(best[0] - step) ? point : best));
}

/** Bounds and ticks at 1, 2 or 5 times a power of ten. */
export function niceScale(low: number, high: number, count: number) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].find((times) => times * power >= rough)! * power;
  const first = Math.floor(low / unit + 1e-9);
  const last = Math.max(Math.ceil(high / unit - 1e-9), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * unit);
  return { low: first * unit, high: last * unit, ticks: ticks.map((tick) => Number(tick.toPrecision(12))) };
}
