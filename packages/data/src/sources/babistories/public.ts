/** What the rest of the toolkit uses of the BabiStories generator. */
export { Cleaner, storyOf } from "./clean.js";
export { type CleaningReport, formatCleaningReport } from "./cleaning-report.js";
export { BabiStoriesConfig } from "./config.js";
export { type DryRun, dryRun } from "./dry-run.js";
export { type Generated, type GenerationProgress, generateBabiStories } from "./generate.js";
export { babistoriesSource } from "./index.js";
export { NearDuplicates } from "./near-duplicates.js";
export { WorkFolder } from "./work-folder.js";
