/** A model that is there already: continued, served, imported. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { createModel, ModelConfig, readSafetensors, saveWeights, writeSafetensors } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import { inTemporaryFolder, runMm } from "./testing/run-mm.js";

const LAUNCHER = fileURLToPath(new URL("../../../mm", import.meta.url));

/** Random weights with GPT-2's tokens. */
async function saveTiny(path: string): Promise<void> {
  await selectBackend("cpu");
  const config = ModelConfig.parse({
    kind: "memory-mosaic",
    ...{ vocabulary: 50257, contextLength: 32, blocks: 1, heads: 2, width: 8, slots: 4 },
  });
  const model = createModel(config, Rng.fromSeed(1));
  await saveWeights(model, path);
  model.dispose();
}

describe("a trained model", () => {
  it("is not served with a key that others may read", () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, "key"), "sk-secret\n", { mode: 0o644 });
      const { code, stderr } = await runMm(folder, ["serve", "--run", "tiny.safetensors", "--api-key-file", "key"]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("Expected a key file that only you can read")]);
    }));

  it("continues prompts, the same for the same seed, drawn or searched; and again after an import", () =>
    inTemporaryFolder(async (folder) => {
      await saveTiny(join(folder, "tiny.safetensors"));
      writeFileSync(join(folder, "prompts.txt"), "Once upon\n\nThe hen\n");
      const shared = ["--tokens", "4", "--backend", "wasm", "--json"];
      const generate = async (...args: string[]) => {
        const { code, stdout, stderr } = await runMm(folder, ["generate", ...args, ...shared]);
        expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
        return JSON.parse(stdout) as { prompt: string; text: string; tokens: number[]; logprobs?: unknown[] }[];
      };
      const drawn = ["--run", "tiny.safetensors", "--prompts", "prompts.txt", "--n", "2", "--logprobs", "1"];
      const first = await generate(...drawn);
      expect(first.map(({ prompt }) => prompt)).toEqual(["Once upon", "Once upon", "The hen", "The hen"]);
      for (const { tokens, logprobs } of first) expect([tokens.length, logprobs!.length]).toEqual([4, 4]);
      expect(await generate(...drawn)).toEqual(first);
      const beams = await generate("--run", "tiny.safetensors", "--prompt", "Once", "--beams", "3", "--n", "2");
      expect(new Set(beams.map(({ text }) => text)).size).toBe(2);

      const { tensors } = readSafetensors(join(folder, "tiny.safetensors"));
      writeSafetensors(join(folder, "theirs.safetensors"), tensors, { format: "pt" });
      const imported = await runMm(folder, [
        ...["import", "theirs.safetensors", "--out", "ours.safetensors", "--set", "contextLength=32"],
        ...["--backend", "wasm"],
      ]);
      expect({ code: imported.code, stderr: imported.code === 0 ? "" : imported.stderr }).toEqual({
        code: 0,
        stderr: "",
      });
      expect(await generate(...drawn.map((arg) => arg.replace("tiny", "ours")))).toEqual(first);

      const wrong = await runMm(folder, [
        "generate",
        "--run",
        "tiny.safetensors",
        "--temperature",
        "-1",
        "--prompt",
        "a",
      ]);
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("of at least 0")]);
    }));

  it("is decoded from fewer bits where kernels for that are, timed, and written as ONNX", () =>
    inTemporaryFolder(async (folder) => {
      await saveTiny(join(folder, "tiny.safetensors"));
      const packed = [
        "generate",
        "--run",
        "tiny.safetensors",
        "--prompt",
        "Once",
        "--weights",
        "int8",
        "--tokens",
        "3",
      ];
      const refused = await runMm(folder, [...packed, "--backend", "wasm"]);
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining("Expected the native backend for weights in int8, but this is wasm."),
      ]);
      const { availableBackends } = await import("@mm/ops");
      await import("@mm/native");
      const native = (await availableBackends()).some(({ name, available }) => name === "native" && available);
      if (native) expect((await runMm(folder, [...packed, "--backend", "native"])).code).toBe(0);

      const bench = await runMm(folder, [
        ...["bench", "decode", "--tokens", "4", "--position", "6", "--rounds", "1", "--json"],
        ...["--set", "blocks=1", "--set", "width=24", "--set", "slots=4", "--set", "vocabulary=50"],
        ...["--backend", native ? "native" : "wasm"],
      ]);
      expect({ code: bench.code, stderr: bench.code === 0 ? "" : bench.stderr }).toEqual({ code: 0, stderr: "" });
      const { lines, atPosition } = JSON.parse(bench.stdout) as { lines: object[]; atPosition: { ratio: number }[] };
      expect(lines).toHaveLength(native ? 3 : 1);
      for (const { ratio } of atPosition) expect(ratio).toBeGreaterThan(0);

      const written = await runMm(folder, ["export", "onnx", "--run", "tiny.safetensors", "--backend", "wasm"]);
      expect([written.code, written.stdout]).toEqual([0, expect.stringContaining("tiny.onnx: tiny, ")]);
      expect(readFileSync(join(folder, "tiny.onnx")).includes("blocks.0.attn.leaky_key_beta")).toBe(true);
    }));

  it("is served until the server is told to stop", () =>
    inTemporaryFolder(async (folder) => {
      await saveTiny(join(folder, "tiny.safetensors"));
      const child = spawn(LAUNCHER, ["serve", "--run", "tiny.safetensors", "--port", "0", "--backend", "wasm"], {
        cwd: folder,
        env: { ...process.env, NODE_OPTIONS: "" },
      });
      try {
        let stdout = "";
        const url = await new Promise<string>((resolve, reject) => {
          child.stdout.on("data", (chunk) => {
            stdout += chunk;
            const found = /http:\S+\/v1/.exec(stdout)?.[0];
            if (found !== undefined) resolve(found);
          });
          child.on("close", () => reject(new Error("the server ended before it listened")));
        });
        const response = await fetch(`${url}/completions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "tiny", prompt: "Once", max_tokens: 3, seed: 1 }),
        });
        expect(response.status).toBe(200);
        expect(((await response.json()) as { usage: object }).usage).toMatchObject({ completion_tokens: 3 });
        const ended = new Promise((resolve) => child.on("exit", resolve));
        child.kill("SIGTERM");
        expect(await ended).toBe(0);
      } finally {
        child.kill("SIGKILL");
      }
    }));
});
