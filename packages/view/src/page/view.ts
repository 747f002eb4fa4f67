import type { Key } from "./keys.js";

/** One of the page's views. */
export interface View {
  /** In the address, after #. */
  readonly name: string;
  readonly title: string;
  readonly element: HTMLElement;
  readonly keys: readonly Key[];
  show?(): void;
  hide?(): void;
}
