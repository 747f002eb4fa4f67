import { Flags } from "@oclif/core";
import { checkWeights, decodingFlags } from "../decoding-flags.js";
import { interruptSignal } from "../interrupt.js";
import { RUNS } from "../places.js";
import { TensorCommand } from "../tensor-command.js";

const limit = (summary: string) => Flags.integer({ summary, min: 1, helpGroup: "LIMITS" });

export default class Serve extends TensorCommand<typeof Serve> {
  static override summary = "Serve a trained model to OpenAI clients over HTTP.";
  static override description =
    "Answers /v1/completions, /v1/chat/completions, /v1/models, /health and /metrics; without a key also /view, the page of `mm view`. Requests that come together are answered together. Ctrl-C lets those under way end. An API key is read from MM_API_KEY or --api-key-file; without one the server listens on loopback only.";
  static override examples = [
    "<%= config.bin %> serve --run results/runs/mosaic",
    "MM_API_KEY=secret <%= config.bin %> serve --run results/runs/mosaic --host 0.0.0.0 --port 8080",
  ];
  static override flags = {
    run: Flags.string({ char: "r", summary: "Folder of a run, or a .safetensors file.", required: true }),
    dataset: Flags.string({ char: "d", summary: "Dataset whose tokenizer is used (default: the run's own)." }),
    host: Flags.string({ summary: "Address to listen on.", default: "127.0.0.1" }),
    port: Flags.integer({ summary: "Port to listen on; 0 takes any free one.", default: 8000, min: 0, max: 65_535 }),
    "api-key-file": Flags.string({
      summary: "File that holds the API key, readable by you alone (default: the variable MM_API_KEY).",
    }),
    overflow: Flags.option({
      summary: "Beyond the trained context: stream, or crop the text as the authors do (slow).",
      options: ["stream", "crop"] as const,
      default: "stream",
    })(),
    ...decodingFlags,
    grace: Flags.integer({
      summary: "Seconds that requests under way get when the server stops.",
      default: 30,
      min: 0,
    }),
    batch: limit("Texts that advance together (default: 32)."),
    "max-prompt": limit("Tokens of a prompt (default: the model's context)."),
    "max-tokens": limit("Tokens that a choice may add (default: 4096)."),
    "max-choices": limit("Choices of one request (default: 128)."),
    "max-concurrent": limit("Choices under way in all (default: 256)."),
    "max-body": limit("Bytes of a request (default: 1048576)."),
    "max-requests": limit("Requests per minute and client (default: no limit)."),
  };

  async run() {
    const { readApiKey } = await import("@mm/data");
    const apiKey = readApiKey({ file: this.flags["api-key-file"] })?.reveal();
    checkWeights(this.flags.weights, await this.useBackend());
    const { openRun } = await import("../open-run.js");
    const { serveModel, startServer } = await import("@mm/serve");
    const { lazyRunViewer } = await import("../viewer.js");
    const { flags } = this;
    const { name, model, tokenizer, created } = openRun(flags.run, flags);
    const server = await startServer(serveModel(name, model, tokenizer, { created, weights: flags.weights }), {
      ...{ host: flags.host, port: flags.port, overflow: flags.overflow, apiKey },
      engine: flags.batch === undefined ? {} : { batch: flags.batch },
      // A browser sends no key.
      mounts:
        apiKey === undefined
          ? { "/view": lazyRunViewer({ runs: RUNS, named: [flags.run], dataset: flags.dataset }) }
          : {},
      limits: {
        promptTokens: flags["max-prompt"],
        completionTokens: flags["max-tokens"],
        choices: flags["max-choices"],
        concurrent: flags["max-concurrent"],
        bodyBytes: flags["max-body"],
        requestsPerMinute: flags["max-requests"],
      },
    });
    this.log(`${name} answers at ${server.url}/v1 (Ctrl-C stops)`);
    const { signal, release } = interruptSignal(() => this.reporter.line("letting requests under way end"));
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await server.stop(flags.grace);
    release();
    model.dispose();
    return { url: server.url };
  }
}
