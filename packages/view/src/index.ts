export { buildPage } from "./build-page.js";
export { exportWeb, type WebModel } from "./export-web.js";
export type { Inspector, ModelCard } from "./inspector.js";
export { LocalInspector, type OpenModel, type TextTokenizer } from "./local-inspector.js";
export { type RunningViewer, serveOnLoopback } from "./server.js";
export { createViewer, type ModelEntry, type Viewer, type ViewerSettings } from "./viewer.js";
