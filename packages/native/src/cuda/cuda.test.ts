/**
 * The GPU's kernels against the definitions of @mm/ops. Without a GPU they run in the emulation (cuda/emulation.h), which
 * says whether they compute the right numbers, and nothing about their speed. MM_CUDA_ADDON names another build to test,
 * such as build/mm-cuda.node on a machine with a GPU.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { compare, opCases } from "@mm/ops/testing";
import * as tf from "@tensorflow/tfjs";
import { differences, everything as everythingAt } from "../testing/everything.js";

const inPackage = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
process.env["MM_CUDA_ADDON"] ??= inPackage("build/mm-cuda-emulated.node");
const { isBuilt, registerCuda, registerNative } = await import("../index.js");

/** Small, because the emulation is slow, and yet several tiles of each kind. */
const everything = () => everythingAt({ batch: 2, time: 70 });
const describeBuilt = isBuilt() ? describe : describe.skip; // without a compiler there is nothing to test

describeBuilt("the cuda backend", () => {
  beforeAll(async () => {
    execFileSync(process.execPath, [inPackage("scripts/build-cuda.js"), "--emulated"], { stdio: "ignore" });
    await selectBackend("cuda");
  }, 600_000);
  afterEach(() => selectBackend("cuda"));

  for (const opCase of opCases) {
    it(`agrees with the plain definition: ${opCase.name}`, async () => {
      expect(await compare(opCase, "cuda")).toEqual([]);
    });
  }

  it("computes what the CPU's kernels compute, and the same bits again", async () => {
    const found = everything();
    expect(everything()).toEqual(found);
    await selectBackend("native");
    for (const difference of differences(everything(), found)) expect(difference).toBeLessThan(1e-4);
  });

  it("stays near fp32 with bf16 inputs", async () => {
    const exact = everything();
    await selectBackend("cuda", { precision: "bf16" });
    const rounded = everything();
    expect(rounded[0]![0]).not.toBe(exact[0]![0]);
    for (const difference of differences(exact, rounded)) expect(difference).toBeLessThan(0.05);
  });

  it("runs what it has no kernel for on the CPU, and says so in the profile", async () => {
    const { profile } = registerCuda();
    const throughHost = (work: () => void) => {
      profile.start();
      work();
      return profile
        .stop()
        .map(({ kernel }) => kernel)
        .filter((kernel) => kernel.includes("host memory"));
    };
    expect(throughHost(everything)).toEqual([]);
    const values = new Float32Array([1, 2, 3, 4, 5]);
    const transform = () => Array.from(tf.tidy(() => tf.fft(tf.complex(values, new Float32Array(5)))).dataSync());
    let found: number[] = [];
    expect(throughHost(() => (found = transform()))).toEqual(["fourierTransform (through host memory)"]);
    await selectBackend("native");
    expect(found).toEqual(transform());
  });

  it("takes no fresh memory once a step has run, and leaves none of the CPU's in use", () => {
    const [device, host] = [registerCuda().addon, registerNative().addon];
    everything();
    const before = [device.memoryUse(), host.memoryUse()];
    everything();
    expect([device.memoryUse(), host.memoryUse()]).toEqual(before);
  });
});
