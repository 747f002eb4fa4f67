import type { KernelBench } from "@mm/native";
import { UserError } from "@mm/run";
import { Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { geometricMean } from "../../bench/statistics.js";

type Products = Record<string, Record<string, number>>;

/** Of each kernel the round in which it was least disturbed. */
function fastestRound(rounds: readonly KernelBench[]): KernelBench {
  const [first] = rounds as [KernelBench];
  const peak = {
    fp32: Math.max(...rounds.map((round) => round.peak.fp32)),
    bf16: Math.max(...rounds.map((round) => round.peak.bf16)),
  };
  const kernels = first.kernels.map((kernel, at) => {
    const value = Math.max(...rounds.map((round) => round.kernels[at]!.value));
    if (kernel.shareOfPeak === undefined) return { ...kernel, value };
    return { ...kernel, value, shareOfPeak: value / peak[kernel.kernel.endsWith("bf16") ? "bf16" : "fp32"] };
  });
  return { ...first, peak, kernels };
}

function fastestProducts(rounds: readonly Products[]): Products {
  const [first] = rounds as [Products];
  return Object.fromEntries(
    Object.entries(first).map(([kernel, products]) => [
      kernel,
      Object.fromEntries(
        Object.keys(products).map((shape) => [shape, Math.max(...rounds.map((round) => round[kernel]![shape]!))]),
      ),
    ]),
  );
}

export default class BenchKernels extends BaseCommand<typeof BenchKernels> {
  static override summary = "Measure the native kernels beside the peak that this machine reaches in the same run.";
  static override description =
    "The stock kernels run alone; the fused ones inside training steps of the shapes A and B (see mm bench train). The peak is that of multiply-adds whose operands stay in the first-level cache. With --against, PyTorch computes the same products in the same run.";
  static override examples = [
    "<%= config.bin %> bench kernels",
    "<%= config.bin %> bench kernels --threads 1 --json",
    "<%= config.bin %> bench kernels --against benchmarks/peers --rounds 5 --python .venv/bin/python",
  ];
  static override flags = {
    threads: Flags.integer({ summary: "Threads (default: all cores).", min: 1, env: "MM_THREADS" }),
    seconds: Flags.string({ summary: "Time per measurement.", default: "0.3" }),
    steps: Flags.integer({ summary: "Training steps of each shape for the fused kernels.", default: 5, min: 1 }),
    rounds: Flags.integer({
      summary: "Times that the stock kernels, and the peer's products, are measured in turn; the fastest counts.",
      default: 1,
      min: 1,
    }),
    against: Flags.string({ summary: "Folder of the PyTorch peer whose products (oneDNN's) to compare with." }),
    python: Flags.string({ summary: "The Python that has PyTorch.", default: "python3" }),
  };

  async run() {
    const { benchKernels, isBuilt } = await import("@mm/native");
    if (!isBuilt())
      throw new UserError("Expected the native kernels to be built, but they are not.", {
        hint: "Install g++ (or clang++), then run `node packages/native/scripts/build.js`.",
      });
    const { threads, seconds, steps, rounds } = this.flags;
    const measured = [];
    const peers = [];
    for (let round = 0; round < rounds; round++) {
      measured.push(benchKernels({ seconds: Number(seconds), ...(threads !== undefined && { threads }) }));
      peers.push(await this.#peerProducts());
    }
    const stock = fastestRound(measured);
    const peer = fastestProducts(peers);
    const { selectBackend } = await import("@mm/ops");
    const { benchFusedKernels } = await import("../../bench/fused-kernels.js");
    const { shapes } = await import("../../bench/shapes.js");
    await selectBackend("native", { ...(threads !== undefined && { threads }) });
    const fused = [];
    for (const name of ["A", "B"] as const)
      fused.push(...(await benchFusedKernels(shapes[name], { name, peak: stock.peak.fp32, steps })));
    const bench = { ...stock, kernels: [...stock.kernels, ...fused], peer };
    this.log(
      `${bench.instructionSet}, ${bench.threads} threads: peak ${bench.peak.fp32.toFixed(0)} GFLOP/s fp32, ${bench.peak.bf16.toFixed(0)} bf16\n`,
    );
    for (const { kernel, shape, value, unit, shareOfPeak } of bench.kernels) {
      const share = shareOfPeak === undefined ? "" : `${(100 * shareOfPeak).toFixed(0)} % of peak`.padStart(16);
      const theirs = peer[kernel]?.[shape];
      const beside = theirs === undefined ? "" : `${theirs.toFixed(1).padStart(10)} ${(value / theirs).toFixed(2)}`;
      this.log(`${kernel.padEnd(20)} ${shape.padEnd(24)} ${value.toFixed(1).padStart(8)} ${unit}${share}${beside}`);
    }
    for (const [kernel, products] of Object.entries(peer)) {
      const ratios = stock.kernels.flatMap((ours) =>
        ours.kernel === kernel ? ours.value / products[ours.shape]! : [],
      );
      this.log(`${kernel}: ${geometricMean(ratios).toFixed(2)} times the peer's speed (last columns), geometric mean`);
    }
    return bench;
  }

  /** GFLOP/s of the peer's products, by the name of our kernel and by shape; nothing without --against. */
  async #peerProducts(): Promise<Products> {
    const { against, python, seconds } = this.flags;
    if (against === undefined) return {};
    const { benchedProducts } = await import("@mm/native");
    const { measurePeerProducts } = await import("../../bench/peer.js");
    const measure = (precision: "fp32" | "bf16") =>
      measurePeerProducts({ folder: against, python }, precision, benchedProducts, Number(seconds));
    return { "matMul fp32": measure("fp32"), "matMul bf16": measure("bf16") };
  }
}
