import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BabiStoriesConfig, Executor, Generated, GenerationProgress, WorkFolder } from "@mm/data";
import { UserError } from "@mm/run";
import { Flags } from "@oclif/core";
import { BuildCommand } from "../../build-command.js";
import { interruptible } from "../../interrupt.js";
import { DATASETS } from "../../places.js";
import { openRecipe } from "../../recipes.js";
import type { Progress } from "../../reporter.js";

export default class BuildBabiStories extends BuildCommand<typeof BuildBabiStories> {
  static override summary = "Let a language model write children's stories as in the paper, clean and tokenize them.";
  static override description =
    "Openings, names, stories, cleaning, split, tokens: each stage can be interrupted and goes on when the same command is run again; no answer is asked for twice. Any server with the OpenAI protocol will do (vLLM, llama.cpp, Mistral, OpenAI). The key comes from the environment or from a file that only you can read.";
  static override examples = [
    "<%= config.bin %> build-dataset babistories --endpoint http://localhost:8000/v1 --model mixtral --count 20000 --dry-run",
    "<%= config.bin %> build-dataset babistories --endpoint http://localhost:8000/v1 --model mixtral --recipe babistories/paper",
    "<%= config.bin %> build-dataset babistories --endpoint https://api.mistral.ai/v1 --model open-mixtral-8x7b --set endpoint.api=chat --set endpoint.prefill=prefix --key-env MISTRAL_API_KEY",
    "<%= config.bin %> build-dataset babistories --endpoint http://gpu:8000/v1 --model mixtral --queue redis://localhost:6379",
  ];
  static override flags = {
    endpoint: Flags.string({ summary: "Address of the server's API, usually ending in /v1." }),
    model: Flags.string({ summary: "Name of the model, as the server knows it." }),
    recipe: Flags.string({ summary: "Settings from a recipe or a YAML file.", default: "babistories/default" }),
    set: Flags.string({ summary: "One setting, such as endpoint.prefill=prefix.", multiple: true, default: [] }),
    count: Flags.integer({ char: "n", summary: "Number of prompts for stories.", min: 1 }),
    seed: Flags.integer({ summary: "Another seed gives other prompts.", min: 0 }),
    prompts: Flags.string({
      summary: "TinyStories' JSON files as prompts, instead of own word lists.",
      multiple: true,
    }),
    work: Flags.string({ summary: "Folder for the answers and stages (default: beside the dataset)." }),
    "key-env": Flags.string({ summary: "Environment variable that holds the key (default: MM_API_KEY)." }),
    "key-file": Flags.string({ summary: "File that holds the key, readable by you alone.", exclusive: ["key-env"] }),
    queue: Flags.string({
      summary: "Redis server that carries the requests to `mm worker` processes.",
      env: "MM_QUEUE",
    }),
    "dry-run": Flags.boolean({ summary: "Show prompts, requests, tokens and cost, and ask nothing." }),
  };

  async run() {
    const config = await this.#config();
    if (this.flags["dry-run"]) return this.#dryRun(config);
    const out = this.flags.out ?? join(DATASETS, "babistories");
    if (!this.flags.force && existsSync(join(out, "dataset.json"))) {
      throw new UserError(`Expected no dataset in ${out} yet but found one.`, {
        hint: "Choose another folder with --out, or replace it with --force.",
      });
    }
    const { babistoriesSource, WorkFolder } = await import("@mm/data");
    const folder = new WorkFolder(this.flags.work ?? `${out}.generation`);
    try {
      const generated = await this.#generate(config, folder);
      await this.#report(config, generated);
      const dataset = await this.build(babistoriesSource(config, folder), "babistories");
      return { work: folder.path, ...generated, dataset };
    } finally {
      folder.close();
    }
  }

  async #config(): Promise<BabiStoriesConfig> {
    const { BabiStoriesConfig } = await import("@mm/data");
    const { applySettings, parseConfig } = await import("@mm/run");
    const { endpoint, model, recipe, set, count, seed, prompts, valid } = this.flags;
    const settings = [
      ...(endpoint === undefined ? [] : [`endpoint.url=${JSON.stringify(endpoint)}`]),
      ...(model === undefined ? [] : [`endpoint.model=${JSON.stringify(model)}`]),
      ...(count === undefined ? [] : [`count=${count}`]),
      ...(seed === undefined ? [] : [`seed=${seed}`]),
      ...(prompts === undefined ? [] : [`stories.prompts=${JSON.stringify(prompts)}`]),
      ...(valid === undefined ? [] : [`split.valid=${valid}`]),
      `split.seed=${this.flags["split-seed"]}`,
      ...set,
    ];
    const value = applySettings(openRecipe(recipe), settings) as { endpoint?: { url?: unknown; model?: unknown } };
    if (value.endpoint?.url === undefined || value.endpoint.model === undefined) {
      throw new UserError("Expected the server and the model that shall write the stories but found none.", {
        hint: "Name them, for example: --endpoint http://localhost:8000/v1 --model mixtral. For stories without a model: mm build-dataset stories",
      });
    }
    return parseConfig(BabiStoriesConfig, value, { source: `${recipe} and the command line` });
  }

  async #generate(config: BabiStoriesConfig, folder: WorkFolder): Promise<Generated> {
    const { generateBabiStories } = await import("@mm/data");
    const workers = await this.#executors(config, folder);
    const progress = new StageProgress((stage, total, unit) => this.reporter.progress(stage, total, unit), config);
    try {
      return await interruptible(
        () => this.reporter.line("stopping; everything written is kept, run the same command again to go on"),
        (signal) =>
          generateBabiStories(config, {
            folder,
            executor: workers.open,
            signal,
            onProgress: (state) => progress.show(state),
          }),
      );
    } finally {
      progress.finish();
      await workers.close();
    }
  }

  /** This process, or workers behind a queue. */
  async #executors(config: BabiStoriesConfig, folder: WorkFolder) {
    const data = await import("@mm/data");
    const { endpoint, limits } = config;
    const { queue } = this.flags;
    const closers: (() => Promise<void> | void)[] = [];
    const close = async () => {
      for (const closer of closers) await closer();
    };
    if (queue !== undefined) {
      const open = async (name: string): Promise<Executor> => {
        const executor = await data.queueExecutor({
          url: queue,
          run: `${folder.id}-${name}`,
          endpoint,
          limits,
          onIdle: (hint) => this.reporter.line(hint),
        });
        closers.push(() => executor.close());
        return executor;
      };
      return { open, close };
    }
    const key = data.readApiKey({ variable: this.flags["key-env"], file: this.flags["key-file"] });
    const client = new data.OpenAiClient(endpoint, key, limits.timeoutSeconds);
    closers.push(() => client.close());
    const runner = new data.CompletionRunner(client, endpoint, limits);
    return { open: async () => data.localExecutor(runner, limits.inFlight), close };
  }

  async #report(config: BabiStoriesConfig, { openings, names, cleaning, tally }: Generated): Promise<void> {
    const { formatCleaningReport } = await import("@mm/data");
    const number = (value: number) => value.toLocaleString("en");
    const cost = tally.cost(config.prices);
    this.log(`${number(openings)} openings, ${number(names)} names, ${number(cleaning.stories)} stories written`);
    this.log(
      `${number(tally.requests)} HTTP requests, ${number(tally.promptTokens)} prompt tokens, ${number(tally.completionTokens)} completion tokens${cost > 0 ? `, cost ${cost.toFixed(2)}` : ""}`,
    );
    const faults = tally.describeFaults();
    if (faults !== "") this.log(`Faults met: ${faults}`);
    this.log(`${formatCleaningReport(cleaning)}\n`);
  }

  async #dryRun(config: BabiStoriesConfig) {
    const { dryRun } = await import("@mm/data");
    const plan = await dryRun(config);
    const number = (value: number) => value.toLocaleString("en");
    for (const sample of plan.samples) this.log(`${sample}\n`);
    for (const { stage, requests, promptTokens, completionTokens } of plan.stages) {
      this.log(
        `${stage.padEnd(8)} ${number(requests)} requests, ${number(promptTokens)} prompt tokens, ${number(completionTokens.expected)} to ${number(completionTokens.most)} completion tokens`,
      );
    }
    const { expected, most } = plan.cost;
    this.log(
      most > 0
        ? `cost     ${expected.toFixed(2)} to ${most.toFixed(2)}`
        : "cost     unknown: give prices per million tokens with --set prices.prompt=… --set prices.completion=…",
    );
    return plan;
  }
}

/** One progress bar per stage, beginning where an earlier run stopped. */
class StageProgress {
  readonly #open: (title: string, total: number, unit: string) => Progress;
  readonly #config: BabiStoriesConfig;
  #stage: { name: string; bar: Progress; before: number; started: number; shown: number } | undefined;

  constructor(open: (title: string, total: number, unit: string) => Progress, config: BabiStoriesConfig) {
    this.#open = open;
    this.#config = config;
  }

  show({ stage, done, total, tally, active }: GenerationProgress): void {
    const now = performance.now();
    if (this.#stage?.name !== stage) {
      this.finish();
      const before = Math.max(0, done - 1);
      const bar = this.#open(stage, total - before, stage === "openings" || stage === "names" ? "requests" : "stories");
      this.#stage = { name: stage, bar, before, started: now, shown: 0 };
    }
    const current = this.#stage!;
    if (now - current.shown < 100 && done < total) return;
    current.shown = now;
    if (tally === undefined) {
      current.bar.update(done - current.before);
      return;
    }
    const perSecond = Math.round((1000 * tally.completionTokens) / Math.max(1, now - current.started));
    const cost = tally.cost(this.#config.prices);
    const faults = Object.values(tally.faults).reduce((sum, count) => sum + count, 0);
    const parts = [
      `${perSecond.toLocaleString("en")} tokens/s`,
      `${active} in flight`,
      ...(tally.rejected > 0 ? [`${tally.rejected} given up`] : []),
      ...(cost > 0 ? [`cost ${cost.toFixed(2)}`] : []),
      ...(faults > 0 ? [`${faults} faults`] : []),
    ];
    current.bar.update(done - current.before, parts.join(" · "));
  }

  finish(): void {
    this.#stage?.bar.finish();
    this.#stage = undefined;
  }
}
