// The pinned compiler with the manners of a native one: `--version` in the native form, and
// standard JSON in, standard JSON out.
//
// Settings that the caller leaves out come from compiler.json (Brownie cannot name all of them).
//
// npm's own `solcjs` reads stdin in one synchronous call, which fails on large input (EAGAIN),
// and prints a line before its answer; this reads stdin by events.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(import.meta.url);
const solc = require("solc");
const pinned = require("./compiler.json");

const argument = (name) => {
  const position = process.argv.indexOf(name);
  return position < 0 ? undefined : process.argv[position + 1];
};

/** Looks an import up where the caller said: the base path, then each include path. */
const readImport = (unit) => {
  const includes = process.argv.flatMap((value, position, all) =>
    value === "--include-path" ? [all[position + 1]] : [],
  );
  const roots = [argument("--base-path") ?? "", ...includes];
  const file = roots.map((root) => resolve(root, unit)).find((path) => existsSync(path));
  return file ? { contents: readFileSync(file, "utf8") } : { error: `${unit} not found` };
};

if (process.argv.includes("--version")) {
  const version = solc.version().replace(/\.Emscripten\.clang$/, ".Linux.g++");
  process.stdout.write(
    `solc, the solidity compiler commandline interface\nVersion: ${version}\n`,
  );
} else if (process.argv.includes("--standard-json")) {
  const chunks = [];
  process.stdin.on("data", (chunk) => chunks.push(chunk));
  process.stdin.on("end", () => {
    const input = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    input.settings = { ...pinned.settings, ...input.settings };
    process.stdout.write(`${solc.compile(JSON.stringify(input), { import: readImport })}\n`);
  });
} else {
  process.stderr.write("solc: only --version and --standard-json are answered here\n");
  process.exitCode = 1;
}
