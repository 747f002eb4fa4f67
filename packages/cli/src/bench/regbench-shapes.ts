/** RegBench's architectures as shapes: a recipe as it is, or at the size of the Memory Mosaic. */
import { countParameters, ModelConfig, modelParameters } from "@mm/models";
import { parseConfig } from "@mm/run";
import { openRecipe } from "../recipes.js";
import type { Shape } from "./shapes.js";

const LENGTH = 384;
/** The model that others are compared with. */
export const REFERENCE = "memory-mosaic";
/** Widths are multiples of it: whole vectors of the processor, and a divisor of every recipe's heads. */
const WIDTH_STEP = 8;

/** The model of the recipe `regbench/MODEL`. @throws UserError when there is none */
export function regbenchShape(model: string, batch = 8): Shape {
  return { about: `recipe regbench/${model}, ${LENGTH} tokens`, model: recipeOf(model), batch, length: LENGTH };
}

/**
 * The same architecture as deep as the Memory Mosaic of its recipe, at the width whose parameter count comes nearest to
 * that one's. Only parameters that act are there: positions no longer than the sequences, and layers in the frame of
 * blocks, where the published one leaves all but the last idle.
 */
export function equalShape(model: string, batch?: number): Shape {
  const shape = regbenchShape(model, batch);
  const reference = configOf(recipeOf(REFERENCE));
  const target = parametersOf(reference);
  const framed = "frame" in configOf(shape.model) ? { frame: "blocks" } : {};
  const ofWidth = (width: number) => {
    const config = { ...shape.model, ...framed, blocks: reference.blocks, contextLength: LENGTH, width };
    return { config, parameters: parametersOf(configOf(config)) };
  };
  let [narrow, wide] = [ofWidth(WIDTH_STEP), ofWidth(2 * WIDTH_STEP)];
  while (wide.parameters < target) [narrow, wide] = [wide, ofWidth(wide.config.width + WIDTH_STEP)];
  const { config } = target - narrow.parameters < wide.parameters - target ? narrow : wide;
  return { ...shape, about: `${model} with the parameters of regbench/${REFERENCE}, ${LENGTH} tokens`, model: config };
}

function recipeOf(model: string): Record<string, unknown> {
  return (openRecipe(`regbench/${model}`) as { model: Record<string, unknown> }).model;
}

const configOf = (model: Record<string, unknown>) => parseConfig(ModelConfig, model, { source: "the shape" });

const parametersOf = (config: ModelConfig) => countParameters(modelParameters(config));
