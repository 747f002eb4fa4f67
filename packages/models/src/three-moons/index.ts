export { complexified, moduli } from "./complex-map.js";
export { MoonMemoryConfig } from "./config.js";
export { MAPS, MoonMemory, type StoredPairs } from "./moon-memory.js";
export {
  COORDINATES,
  HELD_OUT_TRIPLE,
  jointPeriod,
  type MoonWindow,
  moonPositions,
  type Periods,
  startsBelow,
  stepsPerUnit,
  TRAINING_TRIPLES,
} from "./moons.js";
