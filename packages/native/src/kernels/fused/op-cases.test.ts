import { afterAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { compare, opCases } from "@mm/ops/testing";
import * as tf from "@tensorflow/tfjs";
import "../../index.js";
import { isBuilt } from "../../index.js";
import { fusedKernels } from "./index.js";

const describeBuilt = isBuilt() ? describe : describe.skip; // without a compiler there is nothing to test

describeBuilt("every function of @mm/ops on the native backend", () => {
  afterAll(() => tf.disposeVariables());

  it("has a kernel of its own", async () => {
    await selectBackend("native");
    const missing = fusedKernels.filter(({ name }) => tf.getKernel(name, "native") === undefined);
    expect(missing).toEqual([]);
  });

  for (const opCase of opCases) {
    it(`agrees with its plain definition: ${opCase.name}`, async () => {
      expect(await compare(opCase, "native")).toEqual([]);
    });
  }
});
