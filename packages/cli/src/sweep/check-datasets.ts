import { openDataset } from "@mm/data";
import type { Configuration } from "./recipe.js";

/** Opens every dataset of a sweep, so that a wrong folder is one error rather than one for each run. @throws UserError */
export function checkDatasets(configurations: readonly Configuration[]): void {
  const folders = configurations.flatMap(({ config }) => {
    const { dataset } = config as { dataset?: string };
    return dataset === undefined ? [] : [dataset];
  });
  for (const folder of new Set(folders)) openDataset(folder).close();
}
