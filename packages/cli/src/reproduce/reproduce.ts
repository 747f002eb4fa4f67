/** From nothing to a page of results: does what is missing, in order, then draws and reports everything there is. */
import { join, relative } from "node:path";
import { figureSection, markdownTable, plotFigures, type ReportSection, readResults, writeReport } from "@mm/figures";
import { collectProvenance, writeFileAtomic } from "@mm/run";
import { stopIfInterrupted } from "../interrupt.js";
import { formatSeconds } from "../reporter.js";
import { type Part, type PartName, type Place, parts, placeOf, tasksOf } from "./parts.js";
import { resultTables } from "./result-tables.js";
import type { ScaleName } from "./scales.js";
import type { Surroundings } from "./task.js";

export interface Reproduction {
  scale: ScaleName;
  parts: PartName[];
  done: string[];
  skipped: string[];
  figures: string[];
  report: string;
  markdown: string;
  seconds: number;
}

/** @throws UserError when interrupted: the same command goes on where it stopped */
export async function reproduce(
  names: readonly PartName[],
  scaleName: ScaleName,
  surroundings: Surroundings,
): Promise<Reproduction> {
  const started = performance.now();
  const { reporter, signal, backend } = surroundings;
  const place = placeOf(scaleName);
  const tasks = tasksOf(names, place);
  const done: string[] = [];
  const skipped: string[] = [];
  for (const [index, task] of tasks.entries()) {
    stopIfInterrupted(signal, "The same command goes on from here.");
    const title = `${index + 1}/${tasks.length} ${task.name}`;
    if (task.done()) {
      reporter.line(`${title}: done before`);
      skipped.push(task.name);
      continue;
    }
    reporter.line(title);
    await task.run(surroundings);
    done.push(task.name);
  }

  const results = readResults({ resultsFolder: place.results, datasetsFolder: place.datasets });
  const sections: ReportSection[] = [];
  const figures: string[] = [];
  const tables: string[] = [];
  for (const name of names) {
    const { title, text, figures: wanted }: Part = parts[name];
    const measured = resultTables(name, results, scaleName);
    sections.push({ title, text, tables: measured });
    tables.push(...measured.map((table) => `## ${title}\n\n${table.caption ?? ""}\n\n${markdownTable(table)}`));
    if (wanted.length === 0) continue;
    const outcomes = await plotFigures(wanted, { resultsFolder: place.results, datasetsFolder: place.datasets });
    sections.push(...outcomes.map((outcome) => ({ ...withFolders(figureSection(outcome), place), within: true })));
    figures.push(...outcomes.flatMap((outcome) => (outcome.status === "drawn" ? outcome.files.filter(isPicture) : [])));
  }
  const seconds = (performance.now() - started) / 1000;
  const command = `mm reproduce ${names.length === Object.keys(parts).length ? "all" : names.join(" ")} --scale ${scaleName}`;
  const { commit, cpu, cores, date, dirty } = collectProvenance({ backend: backend.name, seed: 0 });
  const report = join(place.results, "report.html");
  writeReport(report, {
    title: "Memory Mosaics, reproduced",
    subtitle: SUBTITLES[scaleName],
    facts: {
      command,
      commit: commit === null ? "unknown" : `${commit.slice(0, 12)}${dirty ? " with changes" : ""}`,
      machine: `${cpu}, ${cores} cores`,
      backend: backend.name,
      date: date.slice(0, 10),
      time: `${formatSeconds(seconds)} for ${done.length} of ${tasks.length} tasks; the others were done before`,
    },
    sections,
  });
  const markdown = join(place.results, "tables.md");
  writeFileAtomic(markdown, `${tables.join("\n")}\nMade by \`${command}\` at ${commit ?? "an unknown commit"}.\n`);
  return { scale: scaleName, parts: [...names], done, skipped, figures, report, markdown, seconds };

  function isPicture(file: string): boolean {
    return relative(place.results, file).endsWith(".png");
  }
}

/** The commands that draw the figures name the folders of this reproduction. */
function withFolders(section: ReportSection, { results, datasets }: Place): ReportSection {
  if (section.figures === undefined) return section;
  const figures = section.figures.map((figure) => ({
    ...figure,
    command: `${figure.command} --results ${results} --datasets ${datasets}`,
  }));
  return { ...section, figures };
}

const SUBTITLES: Readonly<Record<ScaleName, string>> = {
  tiny: "At the scale “tiny”: small models, short training. It shows that every part works, not the paper's results.",
  laptop:
    "At the scale “laptop”: small models on synthetic stories. Shapes may be compared with the paper's, numbers may not.",
  paper: "At the published sizes.",
};
