/** Light or dark: as the system says, until somebody chooses. */

const KEY = "mm-theme";

export function restoreTheme(): void {
  apply(localStorage.getItem(KEY));
}

export function switchTheme(): void {
  const dark = getComputedStyle(document.documentElement).colorScheme;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const now = dark === "light" || dark === "dark" ? dark : system;
  const next = now === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, next);
  apply(next);
}

function apply(theme: string | null): void {
  document.documentElement.style.colorScheme = theme === "light" || theme === "dark" ? theme : "";
}
