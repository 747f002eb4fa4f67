import { Args, Flags } from "@oclif/core";
import { TensorCommand } from "../../tensor-command.js";

export default class CheckParity extends TensorCommand<typeof CheckParity> {
  static override summary = "Compare our models with golden numbers computed by the authors' published code.";
  static override description =
    "DIR holds an index (models.json or index.json) and safetensors files with weights, inputs, logits, losses, gradients, training trajectories and generated text. Prints the worst error of each file; exits with 1 when one is beyond its tolerance.";
  static override examples = [
    "<%= config.bin %> check parity packages/models/src/parity/fixtures",
    "<%= config.bin %> check parity DIR --backend cpu --only mm_a --json",
  ];
  static override args = {
    dir: Args.string({ name: "DIR", description: "Folder of golden numbers.", required: true }),
  };
  static override flags = { only: Flags.string({ summary: "Check only the files whose name contains this text." }) };

  async run() {
    const backend = await this.useBackend();
    const { checkParity } = await import("@mm/models");
    const { only } = this.flags;
    const results = [];
    for await (const result of checkParity(this.args.dir, {
      filter: (file) => only === undefined || file.includes(only),
    })) {
      results.push(result);
      const worst = result.measures.map(
        ({ quantity, error, tolerance }) => `${quantity} ${error.toExponential(1)} (≤ ${tolerance.toExponential(0)})`,
      );
      this.log(`${result.status.padEnd(11)} ${result.file.padEnd(38)} ${worst.join(" · ")}`);
    }
    const failed = results.filter(({ status }) => status === "failed").length;
    const passed = results.filter(({ status }) => status === "passed").length;
    this.log(
      `${passed} files agree, ${failed} differ, ${results.length - passed - failed} of kinds not known here (backend ${backend.name})`,
    );
    if (failed > 0) process.exitCode = 1;
    return { backend, results };
  }
}
