export { longestSequence, RECALL_TASKS, RecallConfig, type RecallTaskName, recallVocabulary } from "./config.js";
export { recallBatch, recallPoints } from "./tasks.js";
export { type RecallScore, recallTags, trainRecall } from "./train-recall.js";
