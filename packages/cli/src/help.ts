import { Help } from "@oclif/core";

/** The root help opens with the road from text to figures: the commands in the order in which one types them. */
export default class MosaicHelp extends Help {
  override formatRoot(): string {
    return [
      "Memory Mosaics: networks of associative memories, from raw text to the paper's figures.",
      "",
      "  mm quickstart                    everything below at a small size, in minutes",
      "",
      "  mm build-dataset stories         text → a folder of tokens",
      "  mm train --dataset …             tokens → a trained model",
      "  mm eval regbench --model …       a model → scores",
      "  mm plot figures                  scores → the paper's figures",
    ].join("\n");
  }
}
