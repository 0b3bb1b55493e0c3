// Says of each document on a line whether the page's reader takes it: {kind, data} in, a word out.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(`${process.argv[2]}/`);
const module = (name) => import(new URL(name, folder));
const { fromHex, Malformed } = await module("bytes.js");
const { parse } = await module("documents/json.js");
const { READERS: FILES } = await module("documents/disclosures.js");
const { parseLabel } = await module("documents/label.js");
const { readInspection } = await module("inspection.js");
const { readEnvelope, readStatement } = await module("statement.js");
const { readShownMeasurements, readShownSettings } = await module("documents/values.js");
const LIMITS = { size: 1 << 20, values: 1000 };
const READERS = {
  accreditation: (data) => FILES.accreditations([parse(data)]).length === 1,
  json: (data) => parse(data, { size: 200, depth: 3, values: 20 }) !== undefined,
  label: (data) => parseLabel(new TextDecoder().decode(data)) !== undefined,
  envelope: (data) => readEnvelope(data) !== null,
  inspection: (payload) => readInspection(payload) !== null,
  measurements: (data) => readShownMeasurements(parse(data, LIMITS)) !== undefined,
  settings: (data) => readShownSettings(parse(data, LIMITS)) !== undefined,
  statement: async (payload) => (await readStatement({ payload }))?.isOfSubject === true,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { kind, data } = JSON.parse(line);
  try {
    console.log((await READERS[kind](fromHex(data))) ? "taken" : "refused");
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    console.log("refused");
  }
}
