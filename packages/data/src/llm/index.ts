/** Language models behind HTTP: requests, their journal, and the queue that carries them to other machines. */
export { ApiKey, KEY_VARIABLE, type KeyPlace, readApiKey } from "./api-key.js";
export { CompletionRequest, type Outcome } from "./completion.js";
export { CompletionRunner } from "./completion-runner.js";
export { EndpointConfig, LimitsConfig } from "./endpoint.js";
export { FAULTS, type FaultKind } from "./faults.js";
export { type Executor, generateAll, localExecutor } from "./generate.js";
export { Journal } from "./journal.js";
export { OpenAiClient } from "./open-ai-client.js";
export { completionJobs } from "./queue/completion-jobs.js";
export { checkRedis, describePlace, loadBullmq, parseRedisUrl, queueName } from "./queue/connection.js";
export { type QueueExecutor, queueExecutor } from "./queue/dispatch.js";
export type { JobKind, JobOptions, OpenJobKind } from "./queue/job-kind.js";
export { runWorker } from "./queue/worker.js";
export { Tally } from "./tally.js";
