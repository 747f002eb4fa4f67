import { Flags } from "@oclif/core";
import { TensorCommand } from "../../tensor-command.js";

export default class ExportWeb extends TensorCommand<typeof ExportWeb> {
  static override summary = "Write a page in which a model runs in the visitor's browser.";
  static override description =
    "A folder of static files: the page with its inspector, the weights in shards of 16 MB, the tokenizer. Any web server or static host shows it, or `node serve.mjs` in the folder; opened as a file it cannot start, since browsers let no page read its neighbours from a disk. The model runs on WebGPU, or else on WebAssembly; nothing is sent anywhere.";
  static override examples = [
    "<%= config.bin %> export web --run results/runs/mosaic",
    "<%= config.bin %> export web --run results/runs/mosaic --run results/runs/gpt2 --out page",
  ];
  static override flags = {
    run: Flags.string({
      char: "r",
      summary: "Folder of a run, or a .safetensors file; twice for two models side by side.",
      required: true,
      multiple: true,
      multipleNonGreedy: true,
    }),
    out: Flags.string({ char: "o", summary: "Folder to write (default: NAME-web)." }),
    dataset: Flags.string({
      char: "d",
      summary: "Dataset whose tokenizer and validation texts are used (default: each run's own).",
    }),
    force: Flags.boolean({ summary: "Replace an exported page of that name." }),
  };

  async run() {
    await this.useBackend();
    const { openForView } = await import("../../view-models.js");
    const { buildPage, exportWeb } = await import("@mm/view");
    const { run: paths, dataset, force } = this.flags;
    const models = [];
    for (const path of paths) models.push(openForView(path, dataset));
    const out = this.flags.out ?? `${models[0]!.name}-web`;
    const page = await buildPage({ onBuild: () => this.reporter.line("building the page (some seconds, once)") });
    const web = models.map(({ tokenizer, ...rest }) => ({ ...rest, tokenizer: tokenizer.info }));
    const bytes = await exportWeb(out, page, web, { force });
    for (const { model } of models) model.dispose();
    this.log(`${out}: ${(bytes / 1e6).toFixed(1)} MB of weights. Look at it with: node ${out}/serve.mjs`);
    return { out, runs: models.map(({ name }) => name), bytes };
  }
}
