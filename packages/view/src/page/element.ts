/** Elements in one expression. Children that are strings become text, never markup. */

type Child = Node | string | undefined | false;

interface Attributes {
  class?: string;
  /** Custom properties for the style sheet, such as `--weight`. */
  vars?: Readonly<Record<string, string | number>>;
  on?: Readonly<Record<string, (event: Event) => void>>;
  [name: string]: unknown;
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill<E extends HTMLElement | SVGElement>(made: E, { vars, on, ...rest }: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [name, value] of Object.entries(vars ?? {})) made.style.setProperty(name, String(value));
  for (const [name, listener] of Object.entries(on ?? {})) made.addEventListener(name, listener);
  made.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return made;
}
