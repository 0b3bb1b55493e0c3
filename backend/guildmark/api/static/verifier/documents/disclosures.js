// What the parties show beside the entry: each file's members, each value in its one form.

import { Malformed, ascii, toHex } from "../bytes.js";
import { checkKey } from "../signatures.js";
import { isPlain, isPrintable } from "../words.js";
import { readDisclosure } from "./clauses.js";
import { bytes, id, integer, large, list, number40, object, oneOf, text, uint40, unless }
  from "./shapes.js";
import { readShownMeasurements, readShownSettings } from "./values.js";

const NOTHING = `0x${"00".repeat(32)}`;
const NOBODY = `0x${"00".repeat(20)}`;
const INTERVALS_MAX = 64;
const COUNT_MAX = 2 ** 20;
const DRAWS_MAX = 32;
const PATH_MAX = 20;
const RECALLS_MAX = 64;
const RECALLS_BEYOND_MAX = 16;
const RECALLS_IN_ALL_MAX = 256;
const REASON_MAX = 400;
const SCHEME = /^[ -~]{1,32}$/;
const SCOPE_TEXT_MAX = 128;
const SCOPE_LIST_MAX = 64;

export const position = integer(0, COUNT_MAX - 1);
export const inclusion = list(id, 0, PATH_MAX);

export const readRecord = object({
  log: uint40, seq: uint40, firstIndex: large(64), count: integer(0, COUNT_MAX), time: uint40,
  parent: id, root: id,
  grants: unless([], list(object({ lane: number40, n: number40, firstUnit: uint40 }), 0, DRAWS_MAX)),
}, (record) => {
  if (record.grants.reduce((sum, { n }) => sum + n, 0) > record.count) {
    throw new Malformed("the grants do not lie inside the record");
  }
  return record;
});

const readKey = object({ algorithm: oneOf(1, 2, 3), data: bytes() }, checkKey);
const readLink = object({ child: id, parent: id, count: integer(0, INTERVALS_MAX) });

const readTerms = object({
  design: id, designEpoch: uint40, units: uint40, holder: id, notBefore: uint40, notAfter: uint40,
  notice: uint40, termsRoot: id, offerUntil: uint40, nonce: large(), parent: unless(NOTHING, id),
  currency: unless(NOBODY, bytes(20)), royalty: unless(0, large()), fee: unless(0, large()),
});

const readRecipe = object({
  root: id, design: id, revision: uint40, supersedes: unless(NOTHING, id),
  change: unless(0, oneOf(0, 1, 2, 3)), plan: unless(NOTHING, id),
});

/** The name of a scheme is 1 to 32 printable letters of ASCII: the chain keeps it as a word. */
function scheme(value) {
  const found = text(32)(value);
  if (!SCHEME.test(found)) throw new Malformed("no name of a scheme");
  return found;
}

function scopeText(value) {
  const found = text()(value);
  if (!isPlain(found, SCOPE_TEXT_MAX)) throw new Malformed("a text that no scope may have");
  return found;
}

/** Return a reader of a scope's list, whose members ascend by their bytes without repetitions. */
function scopeList(read, toBytes) {
  return unless([], (value) => {
    const found = list(read, 0, SCOPE_LIST_MAX)(value);
    const written = found.map((one) => toHex(toBytes(one)));
    const isAscending = written.every((one, at) => at === 0 || written[at - 1] < one);
    if (!isAscending) throw new Malformed("a scope's list in another order");
    return found;
  });
}

const readScope = object({
  standard: scopeText, processes: scopeList(scopeText, ascii),
  materials: scopeList(scopeText, ascii), sites: scopeList(id, (one) => one),
  certificate: unless("", (value) => (value === "" ? value : scopeText(value))),
  delegations: unless(0, integer(0, 3)), salt: unless(NOTHING, id),
});

const readApproval = object({
  recipe: id, approvedOn: uint40, reason: text(REASON_MAX), approver: unless(NOTHING, id),
  ruled: unless(0, oneOf(0, 1, 2, 3)), standard: unless("", text(REASON_MAX)),
}, (said) => {
  const isDesigners = said.approver.every((byte) => byte === 0);
  if (said.reason === "" || !isPrintable(said.reason) || isDesigners !== (said.standard === "")) {
    throw new Malformed("an approval without a reason, or under no standard of its approver");
  }
  return said;
});

const readPlan = object({
  recipe: id, sponsor: id, evaluator: id, document: id, commitBy: number40, revealBy: number40,
  sites: list(id, 1, 64),
}, (plan) => {
  if (plan.commitBy >= plan.revealBy) throw new Malformed("a plan with deadlines out of order");
  return plan;
});

const readInspection = object({
  proof: object({ envelope: bytes(), salt: id, record: readRecord, position, path: inclusion }),
  key: unless(null, (value) => (value === null ? null : readKey(value))),
  siteLink: unless(null, (value) => (value === null ? null : readLink(value))),
  inspectorLink: unless(null, (value) => (value === null ? null : readLink(value))),
});

/** The files under disclosed/ by their names, and who reads them. */
const readThing = object({
  cause: oneOf(1, 2, 3, 4, 5, 6, 7, 8), id, detail: unless(NOTHING, id),
});

const readLists = list(object({
  key: id, by: id, count: integer(1, RECALLS_MAX),
  beyond: unless([], list(number40, 0, RECALLS_BEYOND_MAX)),
}, (one) => {
  const ascends = one.beyond.every((number, at) => number > (one.beyond[at - 1] ?? one.count));
  if (!ascends || one.count + one.beyond.length > RECALLS_MAX) {
    throw new Malformed("recalls of a list that are out of order, or more than are read");
  }
  return one;
}), 1);

function readRecalls(value) {
  const lists = readLists(value);
  if (lists.reduce((sum, { count, beyond }) => sum + count + beyond.length, 0) > RECALLS_IN_ALL_MAX) {
    throw new Malformed("more recalls than are read");
  }
  return lists;
}

export const READERS = {
  key: readKey,
  "site-link": readLink,
  "maker-link": readLink,
  operator: id,
  beacon: readRecord,
  licenses: list(object({ number: number40, terms: readTerms, members: readDisclosure }), 1, 5),
  lanes: list(object({ number: number40, holder: id }), 1, 32),
  extension: object({ first: number40, epoch: uint40 }),
  recipe: object({ recipe: readRecipe, steps: integer(0, 64), clauses: readDisclosure }),
  "site-recipe": object({
    recipe: object({ master: id, site: id, model: id, root: id }), clauses: readDisclosure,
  }),
  revision: object({
    design: id, number: uint40, root: id, ciphertext: id, manifest: id, at: uint40,
    derivedFrom: unless([], list(id)),
  }),
  owner: id,
  owners: list(object({
    epoch: uint40, identity: unless(null, (value) => (value === null ? null : id(value))),
  }), 1, 8),
  claims: list(object({
    issuer: id, subject: id, claim: object({ scheme, value: text(Infinity), salt: id }),
  }), 1, 64),
  profiles: list(object({ identity: id, document: bytes() }), 1, 64),
  accreditations: list(object({ issuer: id, subject: id, scope: readScope }), 1, 32),
  controllers: list(object({ identity: id, count: integer(2, INTERVALS_MAX) }), 1, 96),
  authorities: list(id, 1, 16),
  inspections: list(readInspection, 1, 4),
  approvals: list(object({ approval: readApproval, signature: bytes() }), 1, 16),
  "former-recipe": object({ recipe: readRecipe, clauses: readDisclosure }),
  countersigner: object({ machine: id, key: readKey, siteLink: readLink, link: readLink }),
  equivalence: list(object({ number: number40, plan: readPlan }), 1, 32),
  settings: readShownSettings,
  measurements: readShownMeasurements,
  dependencies: list(object({ thing: readThing, salt: id }), 1, 32),
  recalls: readRecalls,
};
