/** What every drawn file carries about its own origin. Values are plain text, lists are joined by spaces. */
export interface FigureMetadata {
  readonly title: string;
  readonly figure: string;
  /** Names of the runs whose rows are shown. */
  readonly runs: string;
  /** Commits of the code that made these runs; "+" marks one with uncommitted changes. */
  readonly commits: string;
  /** The command that draws the figure again. */
  readonly command: string;
  readonly [key: string]: string;
}
