// (12) No open recall reaches the part, by anything that it has in common with others.

import { ascii, concat, fromHex, same, sha256, toHex, toInteger, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { asTime } from "../headline.js";
import { displayName } from "../naming.js";
import { rootOfLeaves } from "../proofs/merkle.js";
import { indexOf } from "../records.js";
import { keyId } from "../signatures.js";
import { RECALLS as RECALL_SLOTS, RECALL_COUNTS, RECALL_REASONS, fieldsOf, wordAt }
  from "../state.js";
import { lists } from "../trust.js";
import { cover, windowOf } from "../window.js";
import { Undecided, fail, proven, stated, unknown, withheld } from "./check.js";
import { certifiedBy } from "./equivalence.js";

const RECALL_DOMAIN = keccak256(ascii("guildmark/recall/v1"));
const DEPENDENCY_TAG = ascii("guildmark/dependency/v1");
const [SERIAL, LOT, MACHINE, RECIPE, SITE_RECIPE, CERTIFICATE, DESIGN, KEY] = [1, 2, 3, 4, 5, 6, 7, 8];
const NAMES = ["", "part", "lot", "machine", "recipe", "site recipe", "certificate", "design", "key"];
const WHOSE = ["", "the site", "the lot's maker", "the machine's controller", "the design's owner",
  "the site", "the evaluator", "the design's owner", "the machine's controller"];
const WHAT_TO_DO = ["unknown severity", "inspect it before use", "do not use it",
  "danger, do not use it"];
const NOTHING = new Uint8Array(32);
/** The list of a thing's owners; an authority's has its id. */
const OWNERS = NOTHING;
const MAX_AGE = 30 * 24 * 60 * 60;
const DAY = 86_400n;

async function* open(theCase) {
  const window = windowOf(theCase);
  for (const thing of await thingsOf(theCase)) {
    const found = [];
    for (const one of recallsOf(theCase, thing)) {
      if ("code" in one) yield one;
      else if (one.closedAt === 0) found.push(one);
    }
    const isWhole = cover(found, window) === "full";
    for (const one of found.sort((first, second) => first.at - second.at)) {
      if (cover([one], window) === "none") continue;
      const reason = await words(theCase, thing, one);
      yield isWhole ? fail("verify.recalled", reason) : unknown("verify.recalledPartly", reason);
    }
  }
}

/** Return what the part can be recalled by, as far as it is shown. */
async function thingsOf(theCase) {
  const { entry, record, position, disclosed } = theCase.evidence;
  const { recipe, design, run: { site } } = stated(theCase);
  return [
    thingOf(SERIAL, word(record.log), word(indexOf(record, position))),
    thingOf(MACHINE, entry.machine),
    ...(disclosed.key === null ? [] : [thingOf(KEY, keyId(entry.machine, disclosed.key))]),
    thingOf(SITE_RECIPE, entry.siteRecipe),
    thingOf(RECIPE, recipe),
    thingOf(DESIGN, design),
    ...(await certificates(theCase)).map(({ id }) => thingOf(CERTIFICATE, id, site)),
    ...(disclosed.dependencies ?? []).map(({ thing }) => thingOf(thing.cause, thing.id, thing.detail)),
  ];
}

async function certificates(theCase) {
  try {
    return await certifiedBy(theCase);
  } catch (error) {
    // Said once, by the rule about what is shown.
    if (error instanceof Undecided) return [];
    throw error;
  }
}

function thingOf(cause, id, detail = NOTHING) {
  return { cause, id, detail, key: keyOf({ cause, id, detail }) };
}

function keyOf({ cause, id, detail }) {
  return keccak256(concat(RECALL_DOMAIN, word(cause), id, detail));
}

/** Yield the recalls of a thing that count for the reader, and what is not proven of them. */
function* recallsOf(theCase, thing) {
  yield* attempted(() => ofList(theCase, thing, OWNERS));
  const authorities = theCase.trust?.authorities ?? [];
  // One identity may be listed for several times; the last entry names it.
  for (const [id, name] of new Map(authorities.map((one) => [one.id, one.name || one.id]))) {
    const by = fromHex(id, 32);
    if (wordAt(theCase.state, RECALL_COUNTS, thing.key, by) === undefined) {
      yield unknown("verify.authorityMissing",
        `What the authority ${name} recalled is not proven by this bundle.`);
      continue;
    }
    for (const one of attempted(() => ofList(theCase, thing, by))) {
      if ("code" in one) yield one;
      else if (lists(theCase.trust, "authorities", by, one.at)) yield { ...one, authority: name };
    }
  }
}

function ofList(theCase, thing, by) {
  const [count, found] = [proven(theCase, RECALL_COUNTS, thing.key, by), []];
  for (let number = 1; number <= count; number += 1) {
    if (wordAt(theCase.state, RECALL_SLOTS, thing.key, by, number) === undefined) {
      // One that is missing says enough: the count may be as large as anybody made it.
      return [...found, unknown("verify.recallsHidden",
        `Of ${count} recalls of ${named(thing)}, recall ${number} is not shown.`),
      ...beyond(theCase, thing, by, number, count)];
    }
    found.push(...attempted(() => [recallOf(theCase, thing, by, number)]));
  }
  return found;
}

/** Return the recalls that are proven behind one that is not: nobody drowns what reaches. */
function beyond(theCase, thing, by, missing, count) {
  const lists = theCase.evidence.disclosed.recalls ?? [];
  return lists.filter((one) => same(one.key, thing.key) && same(one.by, by))
    .flatMap((one) => one.beyond)
    .filter((number) => number > missing && number <= count
      && wordAt(theCase.state, RECALL_SLOTS, thing.key, by, number) !== undefined)
    .flatMap((number) => attempted(() => [recallOf(theCase, thing, by, number)]));
}

function recallOf(theCase, { key }, by, number) {
  const packed = proven(theCase, RECALL_SLOTS, key, by, number);
  const [at, since, until, closedAt, severity] = fieldsOf(packed, 40, 40, 40, 40, 8);
  const reason = wordAt(theCase.state, RECALL_REASONS, key, by, number);
  return { at, since, until, closedAt, severity, why: typeof reason === "bigint" ? reason : 0n };
}

function attempted(find) {
  try {
    return find();
  } catch (error) {
    if (error instanceof Undecided) return [error.finding];
    throw error;
  }
}

/** Return what a recall says: by whom, since when, of what, and what is to be done. */
async function words(theCase, thing, { at, since, until, severity, why, authority }) {
  const who = authority === undefined ? await owner(theCase, thing) : `the authority ${authority}`;
  const from = since === 0 ? "" : ` from ${asTime(since)}`;
  const to = until === 0 ? "" : ` until ${asTime(until)}`;
  const times = from || to ? `, as far as built${from}${to}` : "";
  const reason = why === 0n ? "" : ` Its reason has the SHA-256 ${toHex(word(why))}.`;
  return `Recalled since ${asTime(at)} by ${who}; ${named(thing)}${times}: `
    + `${WHAT_TO_DO[severity] ?? WHAT_TO_DO[0]}.${reason}`;
}

async function owner(theCase, { cause, id }) {
  if (cause === LOT) return `${WHOSE[cause]}, ${await displayName(theCase, id)}`;
  if (cause !== SERIAL && cause !== SITE_RECIPE) return WHOSE[cause];
  return `${WHOSE[cause]}, ${await displayName(theCase, stated(theCase).run.site)}`;
}

function named({ cause, id, detail }) {
  if (cause === SERIAL) return `${NAMES[cause]} ${toInteger(id)}.${toInteger(detail)}`;
  const pair = cause === LOT || cause === CERTIFICATE ? `:${toHex(detail)}` : "";
  return `${NAMES[cause]} ${toHex(id)}${pair}`;
}

async function* declared({ evidence: { entry, disclosed: { dependencies: shown } } }) {
  if (shown === null) {
    if (!same(entry.dependencies, NOTHING)) {
      yield withheld("verify.declaredWithheld",
        "What the maker declared that the part could be recalled by is not shown.");
    }
    return;
  }
  const leaves = await Promise.all(
    shown.map(({ thing, salt }) => sha256(concat(DEPENDENCY_TAG, salt, keyOf(thing)))),
  );
  if (!same(await rootOfLeaves(leaves), entry.dependencies)) {
    yield fail("verify.declaredMismatch",
      "The log entry commits to another list than the one that is shown.");
  }
}

async function* allShown(theCase) {
  if (theCase.evidence.disclosed.key === null) {
    yield unknown("verify.recallKeysUnproven",
      "The machine's key is not shown: whether it is recalled is not known.");
  }
  try {
    await certifiedBy(theCase);
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    yield unknown("verify.recallKeysUnproven",
      "Whether a certificate of the site is recalled is not known.");
  }
}

function* fresh({ header, question: { now = null }, trust }) {
  const age = trust?.policy?.maxAge ?? MAX_AGE;
  if (now !== null && header !== null && header.time + BigInt(age) < BigInt(now)) {
    const days = (BigInt(now) - header.time) / DAY;
    yield unknown("verify.recallsStale",
      `Block ${header.number} is ${days} days old; a later recall would not show.`);
  }
}

export const RECALLS = {
  number: 12,
  name: "recalls",
  rules: [
    { at: "the recalls of what the part has in common with others", rule: open },
    { at: "what the maker declared", rule: declared },
    { at: "that all of it is shown", rule: allShown },
    { at: "how old the evidence is", rule: fresh },
  ],
};
