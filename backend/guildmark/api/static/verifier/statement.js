// What a build's statement says: the envelope, the payload and their own rules, read strictly.

import { Malformed, ascii, concat, fromBase64, fromHex, same, sha256, toHex } from "./bytes.js";
import { parse } from "./documents/json.js";
import { flag, id, integer, list, maybe, number40, object, oneOf, text, uint40 }
  from "./documents/shapes.js";
import { readMeasurement, readSetting } from "./documents/values.js";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const BUILD = "https://guildmark.org/build/v1";
const SCRAP = "https://guildmark.org/scrap/v1";
const SALTED = "https://guildmark.org/build/v2";
const SALTED_SCRAP = "https://guildmark.org/scrap/v2";
const SUBJECT_TAG = ascii("guildmark/subject/v1");
const SIGNATURES_MAX = 8;
const ENVELOPE_LIMITS = { size: 1 << 20, depth: 4, values: 64 };
const STATEMENT_LIMITS = { size: 1 << 19, depth: 8, values: 20_000 };
const NAME_MAX = 200;

const base64 = (most) => (value) => fromBase64(text(most)(value));
/** The hex of in-toto's digests has no 0x before it. */
export const digestSet = object({ sha256: (value) => fromHex(`0x${text()(value)}`, 32) },
  (found) => found.sha256);
const resource = object({ name: text(NAME_MAX), digest: digestSet });
const name = text(NAME_MAX);

const readRun = object({
  maker: id, site: id, machine: id, counter: integer(), startedOn: uint40, finishedOn: uint40,
  technician: maybe(name), lateReport: maybe(flag, false),
}, (run) => {
  if (run.finishedOn < run.startedOn) throw new Malformed("the job ends before it begins");
  return run;
});

const PREDICATE = {
  salt: id,
  signerRole: oneOf("machine", "gateway", "technician"),
  keyHolder: maybe(oneOf("file", "pkcs11", "tpm")),
  externalParameters: object({
    license: id, recipe: id, siteRecipe: id, design: id, revision: number40, log: number40,
    lane: number40, unit: maybe(number40), order: maybe(name),
  }),
  internalParameters: object({ settings: list(readSetting), firmware: maybe(text()) }),
  resolvedDependencies: list(resource),
  runDetails: readRun,
  byproducts: list(resource),
  measurements: list(readMeasurement),
  simulated: flag,
  beacon: object({ log: uint40, seq: uint40, recordDigest: id }),
  dependencies: id,
  replaces: maybe(id),
};
/** What stands for the values where salted leaves commit to them. */
const { measurements: _, ...UNSAID } = PREDICATE;
const SALTED_PREDICATE = {
  ...UNSAID,
  internalParameters: object({ settingsRoot: maybe(id), firmware: maybe(text()) }),
  measurementsRoot: maybe(id),
};
const HEAD = {
  _type: oneOf(STATEMENT_TYPE),
  subject: list(object({ name: text(400), digest: digestSet }), 1, 1),
};
const READERS = new Map([
  [BUILD, PREDICATE], [SCRAP, { ...PREDICATE, reason: text(400) }],
  [SALTED, SALTED_PREDICATE], [SALTED_SCRAP, { ...SALTED_PREDICATE, reason: text(400) }],
].map(([kind, predicate]) => (
  [kind, object({ ...HEAD, predicateType: oneOf(kind), predicate: object(predicate) })]
)));

const envelopeOf = object({
  payloadType: text(),
  payload: base64(ENVELOPE_LIMITS.size),
  signatures: list(object({ keyid: id, sig: base64() }), 1, SIGNATURES_MAX),
}, ({ payloadType: type, payload, signatures }) => {
  const keys = new Set(signatures.map(({ keyid }) => toHex(keyid)));
  if (keys.size !== signatures.length) throw new Malformed("one key signs twice");
  return { type, payload, signatures };
});

/** Return the envelope, null where it cannot be read. */
export function readEnvelope(data) {
  return attempt(() => envelopeOf(parse(data, ENVELOPE_LIMITS)));
}

/** Return what an envelope's payload says, null where it is no statement. */
export async function readStatement(envelope) {
  const found = envelope === null ? null : attempt(() => statementOf(envelope.payload));
  if (found === null) return null;
  const salted = await sha256(concat(SUBJECT_TAG, found.salt, ascii(found.label)));
  return { ...found, isOfSubject: same(salted, found.subject) };
}

function statementOf(payload) {
  const value = parse(payload, STATEMENT_LIMITS);
  const reader = READERS.get(value?.predicateType);
  if (reader === undefined) throw new Malformed("a statement of another kind");
  const { subject: [part], predicate } = reader(value);
  const { externalParameters: external, runDetails: run, internalParameters, reason } = predicate;
  const { settings = [], settingsRoot = null } = internalParameters;
  const { measurements = [], measurementsRoot = null } = predicate;
  const resolved = predicate.resolvedDependencies.map((one) => one.name);
  unique(settings.map((setting) => setting.path));
  unique(measurements.map(({ characteristic }) => characteristic));
  unique(resolved);
  if (value.predicateType.endsWith("/v2") && resolved.includes("settings")) {
    throw new Malformed("a digest without salt beside salted settings");
  }
  const design = predicate.resolvedDependencies.find((one) => one.name === "design");
  if (design === undefined || reason === "") throw new Malformed("a member is missing");
  return {
    ...external,
    label: part.name,
    subject: part.digest,
    salt: predicate.salt,
    signerRole: predicate.signerRole,
    firmware: internalParameters.firmware,
    run,
    beacon: predicate.beacon,
    settings,
    settingsRoot,
    resolved: predicate.resolvedDependencies,
    byproducts: predicate.byproducts,
    measurements,
    measurementsRoot,
    dependencies: predicate.dependencies,
    ciphertext: design.digest,
    scrap: reason ?? null,
  };
}

export function unique(names) {
  if (new Set(names).size !== names.length) throw new Malformed("something is given twice");
}

function attempt(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
