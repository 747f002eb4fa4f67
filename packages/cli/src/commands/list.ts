import { Args } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { type CatalogueEntry, catalogue } from "../catalogue.js";

export default class List extends BaseCommand<typeof List> {
  static override summary = "List the models, data sources, figures, backends and recipes that exist.";
  static override examples = [
    "<%= config.bin %> list",
    "<%= config.bin %> list recipes",
    "<%= config.bin %> list --json",
  ];
  static override args = { kind: Args.string({ description: "One kind only.", options: Object.keys(catalogue) }) };

  async run(): Promise<Record<string, CatalogueEntry[]>> {
    const found: Record<string, CatalogueEntry[]> = {};
    for (const [kind, entries] of Object.entries(catalogue)) {
      if (this.args.kind !== undefined && this.args.kind !== kind) continue;
      found[kind] = await entries(this.config);
      this.log(`${kind}:`);
      const width = Math.max(...found[kind].map(({ name }) => name.length), 0) + 2;
      for (const { name, about } of found[kind]) this.log(`  ${name.padEnd(width)}${about}`);
      this.log("");
    }
    return found;
  }
}
