// Inspections by others than the maker: which count, and which part they keep out of doubt.

import { same, toHex, toInteger } from "./bytes.js";
import { Undecided, isLink, proven } from "./checks/check.js";
import { identityOf, keyOf, ofAct, ofKey, weightOf } from "./doubts.js";
import { digestOf, indexOf, isInRecord } from "./records.js";
import { keyId, signed } from "./signatures.js";
import { FATES, IDENTITIES, KEYS, LINKS, LINK_COUNTS, RECORDS } from "./state.js";
import { lists } from "./trust.js";
import { cover, intervalOf } from "./window.js";

const KINDS = { inspector: ["organization", 1], site: ["site", 2], machine: ["machine", 3] };
const RULES = [aboutThisBuild, ofAnotherOrganization, byAListedInspector, isSigned, inTheRecord,
  onChain, byASoundKey, registered, byTheInspectorsInstrument];

/** Return all shown inspections, the oldest first, each with why it does not count. */
export async function inspected(theCase) {
  const found = new Map();
  for (const one of theCase.evidence.inspections) {
    const judged = await judgedOf(theCase, one);
    const known = found.get(judged.place);
    if (known === undefined || judged.lack === "") found.set(judged.place, judged);
  }
  return [...found.values()].sort((one, other) => (
    one.time - other.time || one.log - other.log || Number(one.index - other.index)
  ));
}

/** Return the last word of each inspector who says that the part failed. */
export async function failed(theCase) {
  return (await lastWords(theCase)).filter(({ result }) => result === "failed");
}

/** Return the newest inspection that counts of each inspector. */
export async function lastWords(theCase) {
  const counting = (await inspected(theCase)).filter(({ lack }) => lack === "");
  return [...new Map(counting.map((one) => [toHex(one.inspector), one])).values()];
}

/**
 * Return the inspection by which the part stands although its key is doubted, or undefined.
 *
 * It passed, it was on record before the notice, and its inspector took it back at no time.
 */
export async function confirmation(theCase, before) {
  const counting = (await inspected(theCase)).filter(({ lack }) => lack === "");
  return counting.find((one, at) => one.result === "passed" && one.time < before
    && !counting.slice(at + 1).some((later) => (
      same(later.inspector, one.inspector) && later.result === "failed"
    )));
}

/** Return why no shown inspection keeps the part out of doubt, empty where none is shown. */
export async function helpless(theCase) {
  const words = (await inspected(theCase)).map(({ place, lack }) => (
    ` The inspection ${place} does not help: `
    + (lack || "it did not pass, was taken back or came too late.")
  ));
  return words.join("");
}

async function judgedOf(theCase, one) {
  const { record, position } = one.shown.proof;
  const { log, time } = record;
  const index = indexOf(record, position);
  const judged = { place: `${log}.${index}`, log, index, time, measurements: [] };
  if (one.said === null) return { ...judged, lack: "it cannot be read." };
  const { inspector, result, measurements } = one.said;
  return { ...judged, inspector, result, measurements, lack: await lackOf(theCase, one) };
}

async function lackOf(theCase, one) {
  if (one.shown.key === null) return "the key that signed it is not shown.";
  try {
    for (const rule of RULES) {
      const lack = await rule(theCase, one);
      if (lack !== "") return lack;
    }
    return "";
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    return error.finding.reason;
  }
}

function aboutThisBuild({ evidence: { entry } }, { said }) {
  const isSame = same(said.subject, entry.subject) && same(said.envelope, entry.envelope);
  return isSame ? "" : "it is about another build.";
}

function ofAnotherOrganization({ evidence: { entry } }, { said }) {
  return same(said.inspector, entry.maker) ? "the maker made it." : "";
}

function byAListedInspector({ trust }, { said, shown }) {
  const isListed = lists(trust, "inspectors", said.inspector, shown.proof.record.time);
  return isListed ? "" : "its inspector is not on your list.";
}

async function isSigned(_, { signed: envelope, said, shown: { key } }) {
  const found = await signed(envelope, keyId(said.machine, key), key);
  return found === "held" ? "" : "its signature does not hold.";
}

async function inTheRecord(_, { said, entry, shown: { proof } }) {
  if (said.log !== proof.record.log) return "it stands in another log than it names.";
  const isIn = await isInRecord(entry, proof.salt, proof);
  return isIn ? "" : "it does not stand at its place in the record.";
}

function onChain(theCase, { shown: { proof: { record, position } } }) {
  if (proven(theCase, RECORDS, record.log, record.seq) !== toInteger(digestOf(record))) {
    return "its record is not on chain.";
  }
  const fate = proven(theCase, FATES, record.log, indexOf(record, position));
  return fate === 0n ? "" : "its entry is void.";
}

function byASoundKey(theCase, { said: { machine }, shown: { key, proof } }) {
  const [name, { time }] = [keyId(machine, key), proof.record];
  const found = keyOf(proven(theCase, KEYS, name));
  if (!holds(found, time)) return "the key that signed it was not in force.";
  if (weighs(ofKey(theCase, name, found), time)) return "the key that signed it is doubted, too.";
  return weighs(ofAct(theCase, machine, found.since), found.since)
    ? "the key that signed it was added by somebody who is doubted." : "";
}

function registered(theCase, { said }) {
  for (const role of ["machine", "site", "inspector"]) {
    const [word, kind] = KINDS[role];
    if (identityOf(proven(theCase, IDENTITIES, said[role])).kind !== kind) {
      return `its ${word} is not registered as one.`;
    }
  }
  return "";
}

function byTheInspectorsInstrument(theCase, { said: { machine, site, inspector }, shown }) {
  const { time } = shown.proof.record;
  return linked(theCase, shown.siteLink, [machine, site], time)
    || linked(theCase, shown.inspectorLink, [site, inspector], time);
}

function linked(theCase, link, ends, time) {
  if (link === null || !isLink(link, ...ends)) {
    return "the links from its instrument to the inspector are not shown.";
  }
  const count = proven(theCase, LINK_COUNTS, ...ends);
  if (count > BigInt(link.count)) return "not all intervals of its links are shown.";
  const numbers = Array.from({ length: Number(count) }, (_, at) => at + 1);
  const held = numbers.map((number) => intervalOf(proven(theCase, LINKS, ...ends, number)))
    .filter((interval) => holds(interval, time));
  if (held.length === 0) return "its instrument did not belong to the inspector.";
  const isDoubted = held.some(({ since }) => (
    ends.some((side) => weighs(ofAct(theCase, side, since), since))
  ));
  return isDoubted ? "a link of its instrument was made by somebody who is doubted." : "";
}

function weighs(doubts, time) {
  return [...doubts].some((doubt) => weightOf(doubt, time) !== "none");
}

function holds(interval, time) {
  // What nobody added has no beginning; an open interval from 0 on would be for ever.
  return interval.since > 0 && cover([interval], { begin: time, end: time }) === "full";
}
