import type { KernelTime } from "@mm/native";
import type { SelectedBackend } from "@mm/ops";
import { UserError } from "@mm/run";
import { Flags } from "@oclif/core";
import { runMmAlone } from "../../bench/run-mm-alone.js";
import type { Shape } from "../../bench/shapes.js";
import type { StepTimes, TrainBench } from "../../bench/train-bench.js";
import { TensorCommand } from "../../tensor-command.js";

export default class BenchTrain extends TensorCommand<typeof BenchTrain> {
  static override summary = "Time whole training steps: forward, backward, clipping and AdamW on random tokens.";
  static override description =
    "Shape A is one block of the paper's model, B the RegBench model; `regbench` with --model takes any recipe regbench/MODEL at 8 x 384 tokens. Several models, or --equal-parameters, are compared with the Memory Mosaic, rounds of all of them alternating. With --against, rounds of ours and of the PyTorch peer alternate in one run, and the ratio of their medians is printed.";
  static override examples = [
    "<%= config.bin %> bench train --shape B",
    "<%= config.bin %> bench train --shape A --precision bf16 --profile",
    "<%= config.bin %> bench train --shape B --against benchmarks/peers --python .venv/bin/python",
    "<%= config.bin %> bench train --shape regbench --model mamba",
    "<%= config.bin %> bench train --shape regbench --model all --equal-parameters --seconds 1",
    "<%= config.bin %> bench train --shape B --batch 4 --backend wasm --stock",
  ];
  static override flags = {
    shape: Flags.option({ summary: "What to train.", options: ["A", "B", "regbench"] as const, default: "B" })(),
    model: Flags.string({
      summary: "For the shape regbench: a recipe regbench/MODEL, several, or all eleven of the paper's Figure 9.",
      multiple: true,
      multipleNonGreedy: true,
      default: ["memory-mosaic"],
    }),
    "equal-parameters": Flags.boolean({
      summary: "Give each model the Memory Mosaic's depth, and the width that comes nearest to its parameter count.",
      exclusive: ["against", "stock"],
    }),
    batch: Flags.integer({ summary: "Sequences per step, instead of the shape's.", min: 1 }),
    seconds: Flags.integer({ summary: "Time per measurement.", default: 10, min: 1 }),
    rounds: Flags.integer({
      summary: "Measurements of each side with --against, or of each model.",
      default: 3,
      min: 1,
    }),
    against: Flags.string({ summary: "Folder of the PyTorch peer to compare with." }),
    stock: Flags.boolean({
      summary: "Time the same step on TF.js's own wasm kernels too.",
      exclusive: ["against"],
    }),
    python: Flags.string({ summary: "The Python that has PyTorch.", default: "python3" }),
    compile: Flags.boolean({ summary: "Let the peer use torch.compile (needs a C++ compiler).", default: false }),
    profile: Flags.boolean({ summary: "Print the time spent in each kernel of one step." }),
  };

  async run(): Promise<object> {
    const backend = await this.useBackend();
    const { shape, model } = this.flags;
    const equal = this.flags["equal-parameters"];
    if (shape === "regbench" && (equal || model.length > 1 || model[0] === "all")) return this.#compare(backend);
    if (equal)
      throw new UserError(`Expected --shape regbench with --equal-parameters, but found ${shape}.`, {
        hint: "Add --shape regbench.",
      });
    return this.#single(backend);
  }

  async #single(backend: SelectedBackend) {
    const { TrainBench } = await import("../../bench/train-bench.js");
    const { median } = await import("../../bench/statistics.js");
    const { measurePeer } = await import("../../bench/peer.js");
    const shape = await this.#shape();
    const { shape: name, seconds, rounds, against, python, compile, profile } = this.flags;
    const precision = this.flags.precision ?? "fp32";

    let bench: TrainBench | undefined;
    /** The model here, made when something is measured in this process. */
    const own = () => {
      bench ??= new TrainBench(shape);
      return bench;
    };
    const ours: StepTimes[] = [];
    const peers = [];
    for (let round = 0; round < (against === undefined ? 1 : rounds); round++) {
      ours.push(against === undefined ? await own().measure(shape, seconds) : this.#measureAlone());
      if (against !== undefined)
        peers.push(
          measurePeer(
            { folder: against, python },
            { what: "train", shape: name, attention: "blocked", dtype: precision, dropout: 0.05, compile },
            seconds,
          ),
        );
      this.reporter.line(
        `round ${round + 1}: ours ${ours.at(-1)!.medianMilliseconds.toFixed(0)} ms${peers.length === 0 ? "" : `, peer ${peers.at(-1)!.medianMilliseconds.toFixed(0)} ms`}`,
      );
    }
    const milliseconds = median(ours.map((times) => times.medianMilliseconds));
    const peer = peers.length === 0 ? null : median(peers.map((times) => times.medianMilliseconds));
    const { gigaflop, parameters, peakMemory } = ours.at(-1)!;
    const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
    this.log(`shape ${name} (${shape.about}), ${precision}, backend ${backend.name} ${backend.version}`);
    this.log(
      `ours  ${milliseconds.toFixed(1).padStart(9)} ms/step  ${Math.round((1000 * shape.batch * shape.length) / milliseconds).toLocaleString("en")} tokens/s  ${parameters.toLocaleString("en")} parameters  peak memory ${gib(peakMemory)}`,
    );
    if (gigaflop !== null)
      this.log(
        `      ${gigaflop.toFixed(1).padStart(9)} GFLOP of matrix products per step: ${(gigaflop / (milliseconds / 1000)).toFixed(0)} GFLOP/s`,
      );
    if (peer !== null) {
      this.log(
        `peer  ${peer.toFixed(1).padStart(9)} ms/step  peak memory ${gib(peers.at(-1)!.peakMemory)}${compile ? "  (torch.compile)" : ""}`,
      );
      this.log(
        `ratio ${(peer / milliseconds).toFixed(2).padStart(9)}  (peer / ours, medians of ${rounds} alternating rounds)`,
      );
    }
    const stock = this.flags.stock ? await this.#stock(own(), shape, backend.name) : null;
    if (stock !== null)
      this.log(
        `stock ${stock.toFixed(1).padStart(9)} ms/step on TF.js's own kernels: ${(stock / milliseconds).toFixed(2)} times ours`,
      );
    const kernels = profile ? await this.#profile(own(), backend.name) : undefined;
    bench?.dispose();
    return {
      shape: name,
      precision,
      backend,
      milliseconds,
      rounds: ours,
      peer: peers,
      ratio: peer === null ? null : peer / milliseconds,
      stock,
      kernels,
    };
  }

  /**
   * A round in a process of its own, as the peer's are: while a process waits, the system may split its large pages, and
   * its next steps take up to a fifth longer.
   */
  #measureAlone(): StepTimes {
    const { shape, model, batch, seconds, backend, threads, precision } = this.flags;
    const wanted = { shape, model, batch, seconds, backend, threads, precision };
    const words = Object.entries(wanted).flatMap(([flag, value]) =>
      [value ?? []].flat().flatMap((each) => [`--${flag}`, String(each)]),
    );
    const { rounds } = runMmAlone(["bench", "train", ...words]) as { rounds: [StepTimes] };
    return rounds[0];
  }

  /** The models asked for beside the Memory Mosaic. */
  async #compare(backend: SelectedBackend) {
    const { figureModels } = await import("../../regbench/beside-published.js");
    const { equalShape, REFERENCE, regbenchShape } = await import("../../bench/regbench-shapes.js");
    const { compareModels } = await import("../../bench/compare-models.js");
    const { model, batch, seconds, rounds, profile, against, stock } = this.flags;
    if (against !== undefined || stock)
      throw new UserError("Expected one model with --against or --stock, but several are compared here.", {
        hint: "Leave one --model.",
      });
    const shapeOf = this.flags["equal-parameters"] ? equalShape : regbenchShape;
    const models = new Set([REFERENCE, ...model.flatMap((name) => (name === "all" ? figureModels : [name]))]);
    const shapes = Object.fromEntries([...models].map((name) => [name, shapeOf(name, batch)]));
    const profiles: Record<string, KernelTime[]> = {};
    let round = 0;
    const speeds = await compareModels(
      shapes,
      { rounds, seconds },
      (times) => this.reporter.line(`round ${++round}: ${times.map((time) => time.toFixed(0)).join(", ")} ms`),
      async (name, bench) => {
        if (!profile) return;
        this.log(`\n${name}`);
        profiles[name] = await this.#profile(bench, backend.name);
      },
    );
    const precision = this.flags.precision ?? "fp32";
    const { batch: sequences, length } = shapes[REFERENCE]!;
    this.log(
      `${sequences} x ${length} tokens, ${precision}, backend ${backend.name} ${backend.version}, medians of ${rounds} alternating rounds`,
    );
    const line = (...cells: string[]) =>
      this.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(20) : cell.padStart(11))).join(""));
    line("model", "blocks", "width", "parameters", "ms/step", "tokens/s", "of mosaic");
    for (const { model, blocks, width, parameters, milliseconds, tokensPerSecond, share } of speeds)
      line(
        model,
        String(blocks),
        String(width),
        parameters.toLocaleString("en"),
        milliseconds.toFixed(1),
        Math.round(tokensPerSecond).toLocaleString("en"),
        `${(100 * share).toFixed(0)} %`,
      );
    return { shape: "regbench", precision, backend, models: speeds, kernels: profile ? profiles : undefined };
  }

  async #stock(bench: TrainBench, shape: Shape, backend: string): Promise<number> {
    if (backend !== "wasm")
      throw new UserError(`Expected the wasm backend, whose kernels TF.js has too, but this is ${backend}.`, {
        hint: "Add --backend wasm.",
      });
    const { withStockKernels } = await import("@mm/ops");
    const { medianMilliseconds } = await withStockKernels(() => bench.measure(shape, this.flags.seconds));
    return medianMilliseconds;
  }

  async #profile(bench: { step(index: number): Promise<number> }, backend: string) {
    const { formatProfile, profileKernels } = await import("../../kernel-profile.js");
    const { result, kernels } = await profileKernels(backend, () => bench.step(0));
    this.log(`\none step of ${result.toFixed(1)} ms:\n${formatProfile(kernels)}`);
    return kernels;
  }

  async #shape(): Promise<Shape> {
    const { shapes } = await import("../../bench/shapes.js");
    const { shape: name, model, batch } = this.flags;
    if (name !== "regbench") return batch === undefined ? shapes[name] : { ...shapes[name], batch };
    const { regbenchShape } = await import("../../bench/regbench-shapes.js");
    return regbenchShape(model[0]!, batch);
  }
}
