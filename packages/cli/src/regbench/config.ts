/** A RegBench experiment as configured: one model, one protocol. */
import { ModelConfig } from "@mm/models";
import { RegBenchProtocol } from "@mm/regbench";
import { z } from "zod";

export const RegBenchRunConfig = z.strictObject({ model: ModelConfig, protocol: RegBenchProtocol.prefault({}) });
export type RegBenchRunConfig = z.output<typeof RegBenchRunConfig>;

const published = RegBenchProtocol.parse({});

/** "shortened" where there are fewer epochs, or fewer problems to choose weights and to score, than published. */
export function protocolMark(protocol: RegBenchProtocol): "full" | "shortened" {
  const fields = ["epochs", "valid", "test"] as const;
  return fields.some((field) => protocol[field] < published[field]) ? "shortened" : "full";
}
