import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { BaseCommand } from "../base-command.js";

export default class Doctor extends BaseCommand<typeof Doctor> {
  static override summary = "Say what was found on this machine, and which backend will be used and why.";
  static override examples = ["<%= config.bin %> doctor", "<%= config.bin %> doctor --json"];

  async run() {
    await import("@mm/native");
    const { availableBackends, selectBackend } = await import("@mm/ops");
    const backends = await availableBackends();
    const chosen = await selectBackend("auto");
    const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
    const machine = {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpu: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
      memory: `${gib(totalmem())} (${gib(freemem())} free)`,
    };
    for (const [name, value] of Object.entries(machine)) this.log(`${name.padEnd(12)} ${value}`);
    this.log("");
    for (const { name, available, description, version, reason } of backends) {
      this.log(`${available ? "✓" : "–"} ${name.padEnd(10)} ${available ? `${description} (${version})` : reason}`);
    }
    this.log(`\n\`--backend auto\` uses ${chosen.name} ${chosen.version}: ${chosen.reason}.`);
    return { machine, backends, chosen };
  }
}
