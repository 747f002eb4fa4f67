"use strict";
/**
 * The first page of help, at once: what the CLI printed for these sources on a terminal like this one is kept and
 * printed again, since loading the CLI takes several times as long as Node itself.
 */
const fs = require("fs");
const path = require("path");
const prepare = require("./prepare.cjs");

/**
 * Prints the kept page; where there is none yet, keeps what the CLI is about to print.
 *
 * @param built the key of the sources that are built; nothing when they do not compile
 * @returns whether the command line is answered
 */
function print(built, argv) {
  const isRootHelp = argv.length === 0 || (argv.length === 1 && argv[0] === "--help");
  if (!built || !isRootHelp) return false;
  const look = [process.stdout.columns || "", process.stdout.isTTY || ""];
  for (const name of ["NO_COLOR", "FORCE_COLOR", "TERM", "OCLIF_COLUMNS"]) look.push(process.env[name] || "");
  const kept = path.join(prepare.root, "node_modules", ".mm-help.json");
  let pages = {};
  try {
    const read = JSON.parse(fs.readFileSync(kept, "utf8"));
    if (read.built === built) pages = read.pages;
  } catch (_error) {
    // None kept yet.
  }
  const page = pages[look.join(" ")];
  if (page !== undefined) {
    process.stdout.write(page);
    return true;
  }
  const write = process.stdout.write;
  let printed = "";
  process.stdout.write = (...given) => {
    printed += given[0];
    return write.apply(process.stdout, given);
  };
  process.on("exit", (code) => {
    if (code !== 0) return;
    pages[look.join(" ")] = printed;
    try {
      fs.writeFileSync(kept + ".tmp", JSON.stringify({ built: built, pages: pages }));
      fs.renameSync(kept + ".tmp", kept);
    } catch (_error) {
      // A checkout that cannot be written keeps nothing.
    }
  });
  return false;
}

module.exports = { print };
