/** Whether a dataset speaks the language of a model: the loss of one tokenizer's ids under another means nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Dataset, readDatasetInfo } from "@mm/data";
import { UserError } from "@mm/run";

/**
 * @param trainedOn the model's own dataset, which may be gone by now
 * @throws UserError when the dataset was made with another tokenizer, or has more tokens than the model knows
 */
export function expectSameTokens({ folder, info }: Dataset, trainedOn: string, vocabulary: number): void {
  const hint = "Choose a dataset made with the same tokenizer.";
  const { tokenizer } = info;
  if (tokenizer.vocabulary > vocabulary) {
    throw new UserError(
      `Expected a dataset of at most ${vocabulary} tokens but ${folder} has ${tokenizer.vocabulary}.`,
      {
        hint,
      },
    );
  }
  if (!existsSync(join(trainedOn, "dataset.json"))) return;
  const own = readDatasetInfo(trainedOn).tokenizer;
  if (tokenizer.name !== own.name || tokenizer.alphabet !== own.alphabet) {
    throw new UserError(
      `Expected a dataset of the tokenizer "${own.name}", as ${trainedOn} is, but ${folder} is of "${tokenizer.name}".`,
      { hint },
    );
  }
}
