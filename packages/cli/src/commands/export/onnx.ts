import { Flags } from "@oclif/core";
import { TensorCommand } from "../../tensor-command.js";

export default class ExportOnnx extends TensorCommand<typeof ExportOnnx> {
  static override summary = "Write a Memory Mosaic or a GPT-2 as ONNX, for onnxruntime and other engines.";
  static override description =
    "One input, `tokens` (int64 [batch, time], both of any size), one output, `logits` (float32 [batch, time, vocabulary]); weights are stored under the authors' parameter names.";
  static override examples = ["<%= config.bin %> export onnx --run results/runs/mosaic --out mosaic.onnx"];
  static override flags = {
    run: Flags.string({ char: "r", summary: "Folder of the run, or a .safetensors file.", required: true }),
    out: Flags.string({ char: "o", summary: "File to write (default: NAME.onnx)." }),
  };

  async run() {
    await this.useBackend();
    const { exportOnnx, loadModel } = await import("@mm/models");
    const { weightsOf } = await import("../../open-run.js");
    const { weights, name } = weightsOf(this.flags.run);
    const out = this.flags.out ?? `${name}.onnx`;
    const model = loadModel(weights);
    try {
      const bytes = exportOnnx(model, out, { "mm.run": name });
      this.log(`${out}: ${name}, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
      return { out, run: name, bytes };
    } finally {
      model.dispose();
    }
  }
}
