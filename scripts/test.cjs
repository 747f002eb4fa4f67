"use strict";
/** `npm test`: prepares the checkout when needed, then runs jest over all packages; arguments go to jest. */
const childProcess = require("child_process");
const path = require("path");
const prepare = require("./prepare.cjs");

prepare.checkNode();
prepare.install();
prepare.build();
const jest = path.join(prepare.root, "node_modules", "jest", "bin", "jest.js");
const flags = ["--experimental-vm-modules", "--no-warnings"];
const result = childProcess.spawnSync(process.execPath, flags.concat(jest, process.argv.slice(2)), {
  cwd: prepare.root,
  stdio: "inherit",
});
process.exit(result.status === null ? 1 : result.status);
