/** What exists to choose from, read from the registry of each package: `mm list` prints it. */
import type { Config } from "@oclif/core";
import { recipes } from "./recipes.js";

export interface CatalogueEntry {
  name: string;
  about: string;
}

/** One line per kind of thing: adding a thing to its registry is enough for it to appear here. */
export const catalogue: Readonly<Record<string, (config: Config) => Promise<CatalogueEntry[]>>> = {
  datasets: async (config) => commandsBelow(config, "build-dataset"),
  evaluations: async (config) => commandsBelow(config, "eval"),
  models: async () => {
    const { models } = await import("@mm/models");
    return Object.entries(models).map(([name, { title }]) => ({ name, about: title }));
  },
  figures: async () => {
    const { figures } = await import("@mm/figures");
    return Object.values(figures).map(({ name, title, paper }) => ({
      name,
      about: paper === undefined ? title : `${title} (${paper})`,
    }));
  },
  backends: async () => {
    await import("@mm/native");
    const { availableBackends } = await import("@mm/ops");
    const found = await availableBackends();
    return found.map(({ name, description, available, reason }) => ({
      name,
      about: available ? description : `not here: ${reason}`,
    }));
  },
  recipes: async () => recipes(),
};

/** A source of datasets and an evaluation are a command each. */
function commandsBelow({ commands }: Config, topic: string): CatalogueEntry[] {
  return commands
    .filter(({ id }) => id.startsWith(`${topic}:`))
    .map(({ id, summary }) => ({ name: id.slice(topic.length + 1), about: summary ?? "" }));
}
