/** Keys for the whole page. Where somebody types a text, letters are letters. */

export interface Key {
  /** As in KeyboardEvent.key. */
  readonly keys: readonly string[];
  /** How they are shown. */
  readonly label: string;
  readonly meaning: string;
  press(): void;
}

/** @param current the keys that work at the moment */
export function listenForKeys(current: () => readonly Key[]): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const key = current().find(({ keys }) => keys.includes(event.key));
    if (key === undefined) return;
    event.preventDefault();
    key.press();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(input|textarea|select)$/i.test(target.tagName);
}
