/** What a person sees while a command works: lines and progress bars on stderr; results go to stdout. */
import { MultiBar, Presets, type SingleBar } from "cli-progress";

export interface Progress {
  /**
   * @param note short state such as "loss 2.31"
   * @param before what a resumed run had done before: it took no time of this one
   */
  update(done: number, note?: string, before?: number): void;
  finish(note?: string): void;
}

export interface Reporter {
  /** One line about what happens. */
  line(text: string): void;
  /** A bar with rate and remaining time; where stderr is no terminal, a line every ten per cent. */
  progress(title: string, total: number, unit?: string): Progress;
  close(): void;
}

const SILENT: Reporter = {
  line() {},
  progress: () => ({ update() {}, finish() {} }),
  close() {},
};

export function createReporter({ quiet }: { quiet: boolean }): Reporter {
  if (quiet) return SILENT;
  return process.stderr.isTTY ? terminalReporter() : logReporter();
}

function terminalReporter(): Reporter {
  const bars = new MultiBar(
    {
      stream: process.stderr,
      format: "{title} {bar} {value}/{total} {unit} · {rate}/s · {remaining} left {note}",
      hideCursor: true,
      clearOnComplete: false,
      forceRedraw: true,
      fps: 8,
    },
    Presets.shades_classic,
  );
  const open = new Set<SingleBar>();
  return {
    line: (text) => (open.size > 0 ? bars.log(`${text}\n`) : void process.stderr.write(`${text}\n`)),
    progress(title, total, unit = "") {
      const started = performance.now();
      const bar = bars.create(total, 0, { title: title.padEnd(28), unit, rate: "–", remaining: "–", note: "" });
      open.add(bar);
      const show = (done: number, note?: string, before?: number) =>
        bar.update(Math.min(done, total), {
          ...pace(secondsSince(started), done, total, before),
          ...(note === undefined ? {} : { note: `· ${note}` }),
        });
      return {
        update: show,
        finish(note) {
          show(total, note);
          bar.stop();
          open.delete(bar);
        },
      };
    },
    close: () => bars.stop(),
  };
}

function logReporter(): Reporter {
  return {
    line: (text) => void process.stderr.write(`${text}\n`),
    progress(title, total, unit = "") {
      const started = performance.now();
      let shown = 0;
      return {
        update(done, note, before) {
          const tenth = Math.floor((10 * done) / Math.max(1, total));
          if (tenth <= shown || done >= total) return;
          shown = tenth;
          const { rate, remaining } = pace(secondsSince(started), done, total, before);
          const tail = note === undefined ? "" : ` · ${note}`;
          process.stderr.write(`${title}: ${done}/${total} ${unit} · ${rate}/s · ${remaining} left${tail}\n`);
        },
        finish(note) {
          const seconds = formatSeconds(secondsSince(started));
          process.stderr.write(`${title}: done in ${seconds}${note === undefined ? "" : ` · ${note}`}\n`);
        },
      };
    },
    close() {},
  };
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

/** Seconds before which a rate would say nothing: the bar may have been opened by the first news. */
const SOON = 0.01;

/** Rate and remaining time of what was done in so many seconds, all but what was done `before`. */
export function pace(seconds: number, done: number, total: number, before = 0): { rate: string; remaining: string } {
  if (done <= before || seconds < SOON) return { rate: "–", remaining: "–" };
  const rate = (done - before) / seconds;
  return {
    rate: rate >= 100 ? Math.round(rate).toLocaleString("en") : rate.toPrecision(2),
    remaining: formatSeconds((total - done) / rate),
  };
}

/** 75 → "1 min 15 s". */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
