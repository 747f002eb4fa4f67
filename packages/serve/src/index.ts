export { type Continuation, continueText, type FinishReason } from "./continuation.js";
export { Engine, type EngineSettings, type GeneratedToken, type GenerationRequest } from "./engine.js";
export type { Limits } from "./limits.js";
export { encodePrompt } from "./prompt.js";
export { type ServedModel, serveModel } from "./served-model.js";
export { defaultLimits, type RunningServer, type ServerSettings, startServer } from "./server.js";
