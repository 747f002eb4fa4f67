"use strict";
/**
 * Makes a checkout ready to run: checks Node, installs the dependencies with the pinned pnpm, builds the TypeScript and
 * the native kernels. Each step is skipped when its inputs have not changed since it last succeeded. Written in old
 * JavaScript, so that an old Node gets as far as saying that it is too old.
 */
const fs = require("fs");
const os = require("os");
const path = require("path");

const root = path.resolve(__dirname, "..");
const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));

/** Ends the process with one sentence for a person. */
function fail(message) {
  process.stderr.write(message + "\n");
  process.exit(2);
}

function checkNode() {
  const wanted = /(\d+)\.(\d+)/.exec(manifest.engines.node);
  const found = process.versions.node.split(".").map(Number);
  const enough = found[0] > Number(wanted[1]) || (found[0] === Number(wanted[1]) && found[1] >= Number(wanted[2]));
  if (!enough) {
    fail(
      "mm needs Node.js " +
        wanted[0] +
        " or newer, and this is " +
        process.versions.node +
        ". Install a newer one (https://nodejs.org), then run this again.",
    );
  }
}

function packageFolders() {
  return fs
    .readdirSync(path.join(root, "packages"))
    .filter((name) => fs.existsSync(path.join(root, "packages", name, "package.json")));
}

const EXPLANATIONS = [
  [/ENOSPC/, "the disk is full. Free about 1 GB, then run this again."],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|META_FETCH_FAIL|network/i,
    "the npm registry could not be reached. The first start needs it once: check the network or proxy, then run this again.",
  ],
  [/EACCES|EPERM|EROFS/, "a folder could not be written. Run this from a checkout that you own."],
];

function install() {
  const wanted = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]
    .concat(packageFolders().map((name) => "packages/" + name + "/package.json"))
    .map((file) => fs.readFileSync(path.join(root, file), "utf8"));
  const modules = path.join(root, "node_modules");
  // Compared as it stands: quicker than hashing it at every start.
  const key = [process.version].concat(wanted).join("\n");
  const stamp = path.join(modules, ".mm-installed");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === key) return;
  process.stderr.write("mm: first start in this checkout: installing dependencies (about a minute, once)\n");
  const environment = Object.assign({}, process.env, { CI: "true", npm_config_update_notifier: "false" });
  if (!isWritable(os.homedir())) environment.HOME = path.join(os.tmpdir(), "mm-home-" + process.getuid());
  const result = require("child_process").spawnSync(
    "npx",
    ["-y", manifest.packageManager, "install", "--frozen-lockfile"],
    {
      cwd: root,
      env: environment,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      shell: process.platform === "win32",
    },
  );
  if (result.status !== 0) {
    const output = String(result.stdout || "") + String(result.stderr || "") + String(result.error || "");
    const known = EXPLANATIONS.find((entry) => entry[0].test(output));
    fail(
      "mm could not install its dependencies: " +
        (known ? known[1] : "pnpm said:\n" + output.split("\n").slice(-25).join("\n")),
    );
  }
  repeatNative(String(result.stdout) + String(result.stderr));
  fs.writeFileSync(stamp, key);
  fs.writeFileSync(nativeStamp, nativeKey());
}

/** What the build of the native kernels says, for a person. */
function repeatNative(output) {
  for (const line of output.match(/@mm\/native: .*/g) || [])
    process.stderr.write(line.replace("@mm/native: ", "mm: ") + "\n");
}

const nativeStamp = path.join(root, "node_modules", ".mm-native-built");

/** Changes with the C++ sources. */
function nativeKey() {
  return String(newestIn([root + "/packages/native/cc", root + "/packages/native/scripts"], /\.(cc|h|js)$/));
}

/** Builds the native kernels anew when their sources have changed since the installation, as after `git pull`. */
function buildNative() {
  const key = nativeKey();
  if (fs.existsSync(nativeStamp) && fs.readFileSync(nativeStamp, "utf8") === key) return;
  process.stderr.write("mm: the native kernels have changed: building them (about a minute)\n");
  const folder = path.join(root, "packages", "native");
  const script = path.join(folder, "scripts", "build.js");
  const result = require("child_process").spawnSync(process.execPath, [script], { cwd: folder, encoding: "utf8" });
  repeatNative(String(result.stdout) + String(result.stderr));
  // A failed build is not tried at every start: mm runs without.
  fs.writeFileSync(nativeStamp, key);
}

function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch (_error) {
    return false;
  }
}

/** Time of the newest of some files, and of those in some folders whose names match, in milliseconds. */
function newestIn(places, names) {
  let newest = 0;
  const look = (file) => {
    newest = Math.max(newest, fs.statSync(file).mtimeMs);
  };
  const visit = (folder) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = folder + "/" + entry.name;
      if (entry.isDirectory()) visit(file);
      else if (names.test(entry.name)) look(file);
    }
  };
  for (const place of places) (names.test(place) ? look : visit)(place);
  return newest;
}

/** Time of the newest TypeScript source or build setting, in milliseconds. */
function newestSource() {
  const places = [];
  for (const name of packageFolders())
    for (const part of ["src", "tsconfig.json", "package.json"]) places.push(root + "/packages/" + name + "/" + part);
  return newestIn(places, /\.(ts|json)$/);
}

/** What oclif would learn from loading every command; written by the CLI's first start, see its manifest.ts. */
const commandManifest = path.join(root, "packages", "cli", "oclif.manifest.json");

/** Builds what has changed. Returns a key that changes with the TypeScript; nothing when it does not compile. */
function build() {
  buildNative();
  const stamp = path.join(root, "node_modules", ".mm-built");
  const key = String(newestSource());
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === key) return key;
  const compiler = path.join(root, "node_modules", "typescript", "bin", "tsc");
  fs.rmSync(commandManifest, { force: true });
  const result = require("child_process").spawnSync(process.execPath, [compiler, "-b"], {
    cwd: root,
    encoding: "utf8",
  });
  if (result.status === 0) {
    fs.writeFileSync(stamp, key);
    return key;
  }
  // While somebody edits, what compiled still runs; `npm run types` shows every complaint.
  const complaints = (result.stdout + result.stderr).split("\n");
  process.stderr.write(
    "mm: the sources do not type-check; running what could be built. First complaints:\n" +
      complaints.slice(0, 3).join("\n") +
      "\n",
  );
  if (!fs.existsSync(path.join(root, "packages", "cli", "dist", "main.js"))) process.exit(70);
}

module.exports = { root, checkNode, install, build };
