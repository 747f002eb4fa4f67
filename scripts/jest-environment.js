import { TestEnvironment as NodeEnvironment } from "jest-environment-node";

/**
 * Jest gives each test file a realm of its own, in which a Float32Array made by a native addon or a worker is not an
 * `instanceof Float32Array`. Sharing the buffer classes of the outer realm makes typed arrays behave as in plain Node.
 */
const SHARED = [
  "ArrayBuffer",
  "SharedArrayBuffer",
  "DataView",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
];

export default class SharedBuffersEnvironment extends NodeEnvironment {
  async setup() {
    await super.setup();
    for (const name of SHARED) this.global[name] = globalThis[name];
  }
}
