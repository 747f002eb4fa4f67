import { describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import { availableBackends, registerBackendProvider, selectBackend } from "./select.js";

describe("selectBackend", () => {
  it("activates the backend named", async () => {
    const { name, version } = await selectBackend("cpu");
    expect([name, tf.getBackend()]).toEqual(["cpu", "cpu"]);
    expect(version).toMatch(/^\d+\.\d+/);
  });

  it("takes the fastest that runs here, and says why not a faster one", async () => {
    const failing = {
      name: "native",
      description: "of another package",
      load: () => Promise.reject(new Error("its addon is not built")),
    };
    registerBackendProvider(failing);
    const { name, reason } = await selectBackend("auto");
    expect(name).not.toBe("native");
    expect(reason).toContain("native: its addon is not built");
  });

  it("explains a backend that cannot run here, with its hint", async () => {
    const failing = {
      name: "broken",
      description: "",
      hint: "Mend it.",
      load: () => Promise.reject(new Error("it is broken")),
    };
    registerBackendProvider(failing);
    await expect(selectBackend("broken")).rejects.toMatchObject({
      name: "UserError",
      message: 'Expected the backend "broken" to run here, but it is broken.',
      hint: "Mend it.",
    });
  });

  it("names the known backends when it does not know one", async () => {
    await expect(selectBackend("gpu")).rejects.toThrow(
      /one of auto, native, tensorflow, webgpu, wasm, cpu.*found "gpu"/,
    );
  });

  it("refuses bf16 where there is only fp32", async () => {
    await expect(selectBackend("wasm", { precision: "bf16" })).rejects.toThrow("it computes in fp32 only");
  });
});

describe("availableBackends", () => {
  it("lists all, fastest first, and leaves the active one alone", async () => {
    await selectBackend("cpu");
    const found = await availableBackends();
    expect(found.slice(-3).map(({ name }) => name)).toEqual(["wasm", "cpu", "broken"]);
    expect(found.find(({ name }) => name === "wasm")?.available).toBe(true);
    expect(tf.getBackend()).toBe("cpu");
  });
});
