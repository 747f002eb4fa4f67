import { Flags } from "@oclif/core";
import { interruptSignal } from "../interrupt.js";
import { RUNS } from "../places.js";
import { TensorCommand } from "../tensor-command.js";

export default class View extends TensorCommand<typeof View> {
  static override summary = "Watch runs and look into their memories, in a browser.";
  static override description =
    "Shows the curves of all runs as they grow, texts that they write, and at each token of a text of yours which memories answered, with which weight, and which words they proposed; a Memory Mosaic and a GPT-2 side by side. The page is built the first time (some seconds). Ctrl-C stops.";
  static override examples = [
    "<%= config.bin %> view",
    "<%= config.bin %> view --run results/runs/mosaic --run results/runs/gpt2",
    "<%= config.bin %> view --run mosaic.safetensors --dataset datasets/stories --port 0",
  ];
  static override flags = {
    run: Flags.string({
      char: "r",
      summary: "Folder of a run, or a .safetensors file, to look into first; may be given twice and more.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    runs: Flags.string({ summary: "Folder of the runs.", default: RUNS }),
    dataset: Flags.string({
      char: "d",
      summary: "Dataset whose tokenizer and validation texts are used (default: each run's own).",
    }),
    host: Flags.string({ summary: "Loopback address to listen on.", default: "127.0.0.1" }),
    port: Flags.integer({ summary: "Port to listen on; 0 takes any free one.", default: 7331, min: 0, max: 65_535 }),
  };

  async run() {
    await this.useBackend();
    const { serveOnLoopback } = await import("@mm/view");
    const { createRunViewer } = await import("../viewer.js");
    const { run: named, runs, dataset, host, port } = this.flags;
    for (const path of named) await expectWeights(path);
    const onBuild = () => this.reporter.line("building the page (some seconds, once)");
    const viewer = await createRunViewer({ runs, named, dataset, onBuild });
    const server = await serveOnLoopback(viewer, { host, port });
    this.log(`looking at ${runs} on ${server.url} (Ctrl-C stops)`);
    const { signal, release } = interruptSignal(() => {});
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await server.stop();
    release();
    return { url: server.url };
  }
}

/** Says at once what a person mistyped. */
async function expectWeights(path: string): Promise<void> {
  const { checkpointOf } = await import("../open-run.js");
  const { readSafetensors } = await import("@mm/models");
  if (path.endsWith(".safetensors")) readSafetensors(path, () => false);
  else checkpointOf(path);
}
