import { Flags } from "@oclif/core";
import { TensorCommand } from "../../tensor-command.js";

export default class ExportSafetensors extends TensorCommand<typeof ExportSafetensors> {
  static override summary = "Write a run's weights as one file under the authors' parameter names.";
  static override description =
    "PyTorch reads the file with safetensors.torch.load_file. It also holds the configuration, so `mm generate` and `mm serve` take it as --run.";
  static override examples = [
    "<%= config.bin %> export safetensors --run results/runs/mosaic --out mosaic.safetensors",
  ];
  static override flags = {
    run: Flags.string({ char: "r", summary: "Folder of the run.", required: true }),
    out: Flags.string({ char: "o", summary: "File to write (default: NAME.safetensors)." }),
  };

  async run() {
    await this.useBackend();
    const { loadModel, saveWeights } = await import("@mm/models");
    const { checkpointOf } = await import("../../open-run.js");
    const { weights, name } = checkpointOf(this.flags.run);
    const out = this.flags.out ?? `${name}.safetensors`;
    const model = loadModel(weights);
    await saveWeights(model, out, { "mm.run": name });
    const parameters = Object.values(model.variables()).reduce((sum, { size }) => sum + size, 0);
    model.dispose();
    this.log(`${out}: ${parameters.toLocaleString("en")} parameters of ${name}`);
    return { out, run: name, parameters };
  }
}
