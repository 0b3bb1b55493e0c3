// What an inspector's instrument says about a part that somebody else built, read strictly.

import { Malformed, same, sha256 } from "./bytes.js";
import { parse } from "./documents/json.js";
import { UINT40_MAX, id, integer, list, maybe, object, oneOf } from "./documents/shapes.js";
import { readMeasurement } from "./documents/values.js";
import { PAYLOAD_TYPE, STATEMENT_TYPE, digestSet, readEnvelope, unique } from "./statement.js";

const INSPECTION = "https://guildmark.org/inspection/v1";
const KIND = 5;
const LIMITS = { size: 1 << 17, depth: 8, values: 2000 };
const DECIMAL = /^[1-9][0-9]{0,77}$/;
const NOTHING = new Uint8Array(32);

/** Return a reader of a number that may be written as a decimal text, too. */
function number(least) {
  const inRange = integer(least, UINT40_MAX);
  return (value) => (
    inRange(typeof value === "string" && DECIMAL.test(value) ? Number(value) : value)
  );
}

const readPredicate = object({
  subject: id, envelope: id, result: oneOf("passed", "failed"), inspector: id, site: id,
  machine: id, log: number(1), inspectedOn: number(0), salt: id,
  measurements: maybe(list(readMeasurement), []),
}, (said) => {
  unique(said.measurements.map(({ characteristic }) => characteristic));
  return said;
});

const readStatement = object({
  _type: oneOf(STATEMENT_TYPE),
  subject: list(object({ name: oneOf("part"), digest: digestSet }), 1, 1),
  predicateType: oneOf(INSPECTION),
  predicate: readPredicate,
}, ({ subject: [{ digest }], predicate }) => {
  if (!same(digest, predicate.subject)) throw new Malformed("it is about another part");
  return predicate;
});

/** Return an inspection that is shown with what it says; null where it cannot be read. */
export async function opened(shown) {
  const { envelope } = shown.proof;
  const signed = readEnvelope(envelope);
  const said = signed === null || signed.type !== PAYLOAD_TYPE ? null
    : readInspection(signed.payload);
  if (said === null) return { shown, signed: null, said: null, entry: null };
  const { subject, machine, inspector } = said;
  const ids = [subject, await sha256(envelope), NOTHING, machine, inspector, NOTHING];
  return { shown, signed, said, entry: { kind: KIND, ids, previous: 0 } };
}

/** Return what a payload says of an inspection, null where it is none. */
export function readInspection(payload) {
  try {
    return readStatement(parse(payload, LIMITS));
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
