/** The part of this package that needs neither files nor processes: what runs in a browser, too. */
export { isUserError, UserError } from "./errors.js";
export type { PhiloxKey } from "./philox.js";
export { philox4x32 } from "./philox.js";
export { Rng } from "./rng.js";
