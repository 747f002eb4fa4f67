import { describe, expect, it } from "@jest/globals";
import { countParameters, ModelConfig, modelParameters } from "@mm/models";
import { figureModels } from "../regbench/beside-published.js";
import { equalShape, regbenchShape } from "./regbench-shapes.js";

const parameters = (model: object) => countParameters(modelParameters(ModelConfig.parse(model)));

describe("RegBench's architectures at equal parameters", () => {
  const mosaic = regbenchShape("memory-mosaic").model;

  it.each(figureModels)("%s comes to the Memory Mosaic's size within eight per cent, and is as deep", (model) => {
    const shape = equalShape(model);
    expect(shape.model["blocks"]).toBe(mosaic["blocks"]);
    expect(Math.abs(parameters(shape.model) / parameters(mosaic) - 1)).toBeLessThan(0.08);
  });

  it.each(figureModels)("%s comes no nearer by one step of width", (model) => {
    const { model: chosen } = equalShape(model);
    const distance = (width: number) => Math.abs(parameters({ ...chosen, width }) - parameters(mosaic));
    const width = Number(chosen["width"]);
    expect(distance(width)).toBeLessThanOrEqual(Math.min(distance(width - 8), distance(width + 8)));
  });

  it("leave the Memory Mosaic itself as its recipe says", () => {
    expect(equalShape("memory-mosaic").model).toEqual({ ...mosaic, contextLength: 384 });
  });

  it("count only what acts: layers of a proper stack, positions of the sequence", () => {
    expect(equalShape("lstm").model).toMatchObject({ frame: "blocks" });
    expect(equalShape("mamba").model).toMatchObject({ frame: "blocks" });
    expect(equalShape("transformer").model).toMatchObject({ contextLength: 384 });
    expect(equalShape("transformer").model).not.toHaveProperty("frame");
  });
});
