/** How tokens and numbers are written. */
import { element } from "./element.js";

/** A token by itself: a leading blank and line ends are made visible. */
export function tokenLabel(text: string): HTMLElement {
  const blank = text.startsWith(" ") && text.length > 1;
  const rest = (blank ? text.slice(1) : text).replaceAll("\n", "↵").replaceAll("\t", "⇥");
  return element("span", { class: "token" }, blank && element("i", {}, "·"), /^ +$/.test(rest) ? "␣" : rest);
}

export function percent(share: number): string {
  if (share >= 0.995) return "100 %";
  if (share >= 0.0995) return `${Math.round(100 * share)} %`;
  if (share >= 0.001) return `${(100 * share).toFixed(1)} %`;
  return "< 0.1 %";
}

/** The same in the least room. */
export function roundPercent(share: number): string {
  return share < 0.005 ? "<1%" : `${Math.round(100 * share)}%`;
}

/** Three digits, with an exponent only where the number is far from 1. */
export function short(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(size < 1e-3 ? 0 : 1).replace("e+", "e");
  if (size >= 100) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3).replace(/\.?0+$/, "");
}

export function count(value: number, noun: string): string {
  return `${value.toLocaleString("en")} ${noun}${value === 1 ? "" : "s"}`;
}

/** 6 635 932 → 6.6 M */
export function millions(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(value >= 1e8 ? 3 : 2)} M`;
  return value >= 1e3 ? `${(value / 1e3).toPrecision(3)} k` : String(value);
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  "memory-mosaic": "Memory Mosaic",
  "memory-mosaic-v2": "Memory Mosaic v2",
  gpt2: "GPT-2",
};

export function kindName(kind: string): string {
  return KIND_NAMES[kind] ?? kind;
}
