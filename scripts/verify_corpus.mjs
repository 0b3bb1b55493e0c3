// Runs the page's verifier over the corpus: a folder in, one JSON line a case out.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [verifier, folder] = process.argv.slice(2);
const { verify } = await import(pathToFileURL(verifier));

for (const name of readdirSync(folder).sort()) {
  const read = (file) => readFileSync(join(folder, name, file));
  const parsed = (file, otherwise) =>
    existsSync(join(folder, name, file)) ? JSON.parse(read(file)) : otherwise;
  const found = await verify(
    new Uint8Array(read("bundle.zip")), parsed("trust.json", null), parsed("question.json", {}),
  );
  const { case: title } = parsed("expected.json");
  const told = ({ state, code, reason }) => ({ state, code, reason });
  const checks = found.checks.map((check) => (
    { number: check.number, ...told(check), findings: check.findings.map(told) }));
  const { verdict, exit, headline, fault } = found;
  console.log(JSON.stringify({
    case: title, verdict, exit, headline, code: fault?.code ?? null, checks,
  }));
}
