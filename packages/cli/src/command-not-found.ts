import { UserError } from "@mm/run";
import type { Hook } from "@oclif/core";
import { likelyMeant } from "./did-you-mean.js";

/**
 * "Did you mean": names the nearest command when one is near enough to be a slip of the fingers. oclif comes here, too,
 * with the words after a command that takes none.
 */
const commandNotFound: Hook<"command_not_found"> = async ({ id, config }) => {
  const typed = id.replaceAll(":", " ");
  const names = config.commands.filter((command) => !command.hidden).map((command) => command.id.replaceAll(":", " "));
  const command = names.find((name) => typed.startsWith(`${name} `));
  if (command !== undefined) {
    throw new UserError(`\`mm ${command}\` takes only flags, but found ${typed.slice(command.length + 1)}.`, {
      hint: `\`mm ${command} --help\` shows them.`,
    });
  }
  const meant = likelyMeant(typed, names);
  throw new UserError(`There is no command \`mm ${typed}\`.`, {
    hint: meant ? `Did you mean \`mm ${meant}\`?` : "`mm --help` lists the commands.",
  });
};

export default commandNotFound;
