/** What cleaning did, by rule. */
export interface CleaningReport {
  /** Requests settled, and those of them that gave no story. */
  requests: number;
  unanswered: number;
  stories: number;
  kept: number;
  /** Stories cut by each marker; one story can be cut by several. */
  cuts: Record<string, number>;
  cutStories: number;
  /** Stories rejected for each forbidden string, or "empty". */
  rejected: Record<string, number>;
  truncatedDropped: number;
  /** Undefined when repetitions were not looked for. */
  nearDuplicates: number | undefined;
  /** Kept stories that talk about their task or repeat it. */
  leaks: number;
  leakExamples: string[];
  /** Kept stories that hardly hold a common English word. */
  notEnglish: number;
  notEnglishExamples: string[];
}

export function emptyReport(): CleaningReport {
  return {
    requests: 0,
    unanswered: 0,
    stories: 0,
    kept: 0,
    cuts: {},
    cutStories: 0,
    rejected: {},
    truncatedDropped: 0,
    nearDuplicates: undefined,
    leaks: 0,
    leakExamples: [],
    notEnglish: 0,
    notEnglishExamples: [],
  };
}

export function countUnder(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Lines for people; rules that did nothing are left out. */
export function formatCleaningReport(report: CleaningReport): string {
  const share = (count: number) => `${count.toLocaleString("en")} (${percent(count, report.stories)})`;
  const table = (counts: Record<string, number>) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([rule, count]) => `    ${count.toLocaleString("en").padStart(9)}  ${JSON.stringify(rule)}`);
  const rejected = Object.values(report.rejected).reduce((sum, count) => sum + count, 0);
  return [
    `Cleaning: ${report.kept.toLocaleString("en")} of ${report.stories.toLocaleString("en")} stories kept (${report.unanswered.toLocaleString("en")} of ${report.requests.toLocaleString("en")} requests gave none)`,
    `  cut at a marker: ${share(report.cutStories)}`,
    ...table(report.cuts),
    `  rejected: ${share(rejected)}`,
    ...table(report.rejected),
    ...(report.truncatedDropped > 0
      ? [`  dropped because cut at the token limit: ${share(report.truncatedDropped)}`]
      : []),
    ...(report.nearDuplicates === undefined ? [] : [`  near-duplicates dropped: ${share(report.nearDuplicates)}`]),
    `  kept, though they talk about their task: ${share(report.leaks)}`,
    `  kept, though hardly English: ${share(report.notEnglish)}`,
  ].join("\n");
}

function percent(count: number, of: number): string {
  return of === 0 ? "0 %" : `${((100 * count) / of).toFixed(2)} %`;
}
