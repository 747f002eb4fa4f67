import type { JobKind } from "@mm/data";
import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { interruptible } from "../interrupt.js";

/** The kinds of jobs that a worker can take, loaded when asked for: a new one is a line here. */
const jobKinds = {
  completions: async () => (await import("@mm/data")).completionJobs,
  sweep: async () => (await import("../sweep/sweep-jobs.js")).sweepJobs,
} satisfies Record<string, () => Promise<JobKind>>;
type JobName = keyof typeof jobKinds;
const JOB_NAMES = Object.keys(jobKinds) as JobName[];

export default class Work extends BaseCommand<typeof Work> {
  static override summary = "Take jobs from a queue, on this or any other machine, until interrupted.";
  static override description =
    "`mm build-dataset babistories --queue …` puts its requests into a Redis queue; any number of workers answer them. A worker can be killed at any moment: its jobs go to the others. Keys never travel through the queue: each worker reads its own.";
  static override examples = [
    "<%= config.bin %> worker --queue redis://localhost:6379",
    "<%= config.bin %> worker --queue rediss://queue.example.org:6380/0 --concurrency 256 --key-file ~/.mm-key",
  ];
  static override flags = {
    queue: Flags.string({ summary: "Address of the Redis server.", required: true, env: "MM_QUEUE" }),
    jobs: Flags.option({
      summary: "Kinds of jobs to take (default: all).",
      options: JOB_NAMES,
      multiple: true,
    })(),
    concurrency: Flags.integer({ summary: "Jobs under way at most.", default: 64, min: 1, max: 4096 }),
    "key-env": Flags.string({ summary: "Environment variable that holds the key (default: MM_API_KEY)." }),
    "key-file": Flags.string({ summary: "File that holds the key, readable by you alone.", exclusive: ["key-env"] }),
  };

  async run() {
    const { runWorker } = await import("@mm/data");
    const { queue, jobs = JOB_NAMES, concurrency } = this.flags;
    const kinds = await Promise.all(jobs.map((name) => jobKinds[name]()));
    const done: Record<string, number> = {};
    await interruptible(
      () => this.reporter.line("stopping; jobs under way go to other workers"),
      (signal) =>
        runWorker({
          url: queue,
          kinds,
          concurrency,
          key: { variable: this.flags["key-env"], file: this.flags["key-file"] },
          signal,
          onReady: () => this.reporter.line(`waiting for ${jobs.join(", ")}; Ctrl-C stops`),
          onJob: (kind) => {
            done[kind] = (done[kind] ?? 0) + 1;
            if (done[kind] % 1000 === 0) this.reporter.line(`${done[kind].toLocaleString("en")} ${kind} done`);
          },
        }),
    );
    return { done };
  }
}
