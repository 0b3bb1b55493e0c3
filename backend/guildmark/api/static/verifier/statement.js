// What a build's statement says, as far as these checks read it; only Python knows all its rules.

import { Malformed, ascii, concat, fromBase64, fromHex, same, sha256 } from "./bytes.js";
import { canonical } from "./bundle.js";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPES = ["https://guildmark.org/build/v1", "https://guildmark.org/scrap/v1"];
const SUBJECT_TAG = ascii("guildmark/subject/v1");

/** Return the envelope where it is in canonical form, else null: others are not looked at. */
export function readEnvelope(data) {
  return attempt(() => {
    const value = parsed(data);
    return {
      type: value.payloadType,
      payload: fromBase64(value.payload),
      signatures: value.signatures.map(({ keyid, sig }) => ({
        keyid: fromHex(keyid, 32),
        sig: fromBase64(sig),
      })),
    };
  });
}

/** Return what an envelope's statement says, null where it is not read. */
export async function readStatement(envelope) {
  if (envelope === null || envelope.type !== PAYLOAD_TYPE) return null;
  const statement = attempt(() => members(parsed(envelope.payload)));
  if (statement === null) return null;
  const { label, salt, subject, ...stated } = statement;
  return same(await sha256(concat(SUBJECT_TAG, salt, ascii(label))), subject) ? stated : null;
}

function members({ _type: type, predicateType, subject: [part, ...others], predicate }) {
  const isKnown = type === STATEMENT_TYPE && PREDICATE_TYPES.includes(predicateType);
  if (!isKnown || others.length > 0) throw new Malformed("a statement of another kind");
  const { beacon, externalParameters: external, runDetails: run } = predicate;
  return {
    label: part.name,
    subject: bare(part.digest.sha256),
    salt: fromHex(predicate.salt, 32),
    machine: fromHex(run.machine, 32),
    site: fromHex(run.site, 32),
    beacon: fromHex(beacon.recordDigest, 32),
    design: fromHex(external.design, 32),
    revision: external.revision,
    license: fromHex(external.license, 32),
    recipe: fromHex(external.recipe, 32),
    siteRecipe: fromHex(external.siteRecipe, 32),
    ciphertext: bare(
      predicate.resolvedDependencies.find(({ name }) => name === "design").digest.sha256,
    ),
  };
}

/** The hex of in-toto's digests has no 0x before it. */
function bare(text) {
  return fromHex(`0x${text}`, 32);
}

function parsed(data) {
  const value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data));
  if (!same(ascii(canonical(value)), data)) throw new Malformed("not in canonical form");
  return value;
}

function attempt(read) {
  try {
    return read();
  } catch (error) {
    const isExpected = [SyntaxError, TypeError, Malformed].some((kind) => error instanceof kind);
    if (isExpected) return null;
    throw error;
  }
}
