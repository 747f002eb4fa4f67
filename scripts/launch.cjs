"use strict";
/** Prepares the checkout when needed, then hands the command line to the CLI in this same process. */
const path = require("path");
const { pathToFileURL } = require("url");
const prepare = require("./prepare.cjs");
const rootHelp = require("./root-help.cjs");

prepare.checkNode();
prepare.install();
const built = prepare.build();
if (!rootHelp.print(built, process.argv.slice(2))) {
  import(pathToFileURL(path.join(prepare.root, "packages", "cli", "dist", "main.js")).href).then(({ main }) =>
    main(process.argv.slice(2)),
  );
}
