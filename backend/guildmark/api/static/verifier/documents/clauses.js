// Clauses of recipes and of license terms, and the salted trees that commit to them.

import { Malformed, ascii, concat, fromHex, same, sha256, toHex } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { rootOfLeaves } from "../proofs/merkle.js";
import { checkUnit, parseDecimal } from "./quantity.js";
import { id, integer, list, maybe, object, oneOf, text } from "./shapes.js";

const DOMAIN = keccak256(ascii("guildmark/clause/v1"));
const CLASSES = ["core", "window", "custom", "site"];
const TYPES = ["quantity", "text"];
const CRITICALITIES = ["minor", "major", "critical"];
const CLAUSES_MAX = 4096;
const PATH = /^(?:\/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){2,8}$/;
const LENGTH = /^(?:0|[1-9][0-9]{0,3})$/;
const BEHIND_ALL = "\x7f";

export function path(value) {
  const found = text()(value);
  if (!PATH.test(found)) throw new Malformed("no path of a clause");
  return found;
}

export const readClause = object({
  path, class: oneOf(...CLASSES), type: oneOf(...TYPES), criticality: oneOf(...CRITICALITIES),
  value: maybe(text()), min: maybe(text()), max: maybe(text()), unit: maybe(text()), salt: id,
}, (clause) => {
  if (clause.type === "quantity") checkQuantity(clause);
  else checkText(clause);
  if (!saysEnough(clause)) throw new Malformed("a clause without a value or bounds");
  return clause;
});

export const readDisclosure = object({
  leaves: list(id),
  opened: list(object({ leaf: integer(0, CLAUSES_MAX - 1), clause: readClause })),
}, (shown) => {
  // In another order, or twice, it would not be the one form of what is shown.
  const isAscending = shown.opened.every(({ leaf }, at) => at === 0 || shown.opened[at - 1].leaf < leaf);
  if (!isAscending) throw new Malformed("leaves are opened twice or out of order");
  return shown;
});

/** Return the clauses that a root commits to, null where something else is shown. */
export async function verified(shown, root) {
  return (await mismatchOf(shown, root)) === null ? new Clauses(shown.leaves, shown.opened) : null;
}

/** Return in words why a root does not commit to what is shown, null where it does. */
export async function mismatchOf({ leaves, opened }, root) {
  const isTree = leaves.length > 0 && leaves.length <= CLAUSES_MAX;
  if (!isTree || !same(await rootOfLeaves(leaves), root)) {
    return `The leaves that are shown do not lead to ${toHex(root)}.`;
  }
  for (const { leaf, clause } of opened) {
    if (leaf >= leaves.length || !same(await leafOf(clause), leaves[leaf])) {
      return `The clause ${clause.path} is not leaf ${leaf} of the tree.`;
    }
  }
  const isAscending = opened.every(({ clause }, at) => (
    at === 0 || opened[at - 1].clause.path < clause.path
  ));
  return isAscending ? null : "The clauses of the tree are not in the order of their paths.";
}

/** Clauses of one tree that its root commits to, of which some may be hidden. */
export class Clauses {
  constructor(leaves, opened) {
    Object.assign(this, { leaves, opened });
    this.shown = opened.map(({ clause }) => clause);
    this.byPath = new Map(this.shown.map((clause) => [clause.path, clause]));
    this.byLeaf = new Map(opened.map(({ leaf, clause }) => [leaf, clause]));
  }

  /** Return the clause of a path, null where it is absent or hidden. */
  find(named) {
    return this.byPath.get(named) ?? null;
  }

  /** Return the clause that a leaf stands for, null where it is hidden. */
  at(leaf) {
    return this.byLeaf.get(leaf) ?? null;
  }

  below(prefix) {
    return this.shown.slice(this.firstFrom(prefix), this.firstFrom(prefix + BEHIND_ALL));
  }

  /** Return whether a hidden clause can have a path that begins so; paths ascend over the leaves. */
  mayHide(prefix) {
    const [begin, end] = [this.firstFrom(prefix), this.firstFrom(prefix + BEHIND_ALL)];
    const before = begin === 0 ? -1 : this.opened[begin - 1].leaf;
    const behind = end === this.opened.length ? this.leaves.length : this.opened[end].leaf;
    return behind - before - 1 > end - begin;
  }

  /** Return the number of the first shown clause whose path is not before a text. */
  firstFrom(text) {
    let [low, high] = [0, this.shown.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.shown[middle].path < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

async function leafOf({ path: named, class: klass, type, criticality, salt, ...rest }) {
  const codes = [CLASSES.indexOf(klass), TYPES.indexOf(type), CRITICALITIES.indexOf(criticality)];
  const head = Uint8Array.from(codes, (code) => code + 1);
  const optional = [rest.value, rest.min, rest.max, rest.unit].map((one) => (
    one === null ? Uint8Array.of(0) : concat(Uint8Array.of(1), sized(one))
  ));
  return sha256(concat(DOMAIN, salt, head, sized(named), ...optional));
}

/** Return a text behind its length in four bytes. */
export function sized(written) {
  const data = ascii(written);
  return concat(fromHex(`0x${data.length.toString(16).padStart(8, "0")}`), data);
}

function checkQuantity({ min, value, max, unit }) {
  checkUnit(unit ?? "");
  const given = [min, value, max].filter((one) => one !== null).map(parseDecimal);
  if (given.some((one, at) => at > 0 && given[at - 1] > one)) {
    throw new Malformed("minimum, value and maximum are not in order");
  }
}

function checkText({ class: klass, value, min, max, unit }) {
  const lengths = [min, max].filter((one) => one !== null);
  if (unit !== null || (lengths.length > 0 && klass !== "custom")) {
    throw new Malformed("a text has no unit and no bounds");
  }
  if (!lengths.every((one) => LENGTH.test(one)) || Number(min ?? 0) > Number(max ?? Infinity)) {
    throw new Malformed("the bounds of a custom text are numbers of characters");
  }
  if (value !== null && value.normalize("NFC") !== value) {
    throw new Malformed("a text must be in Unicode's form NFC");
  }
}

function saysEnough({ class: klass, type, value, min, max }) {
  const hasBoth = min !== null && max !== null;
  if (klass === "core") return value !== null || min !== null || max !== null;
  if (klass === "window") return value !== null || hasBoth;
  return klass !== "custom" || hasBoth || type === "text";
}
