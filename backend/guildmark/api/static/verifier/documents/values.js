// Settings and measured values: as statements say them, and as they open salted leaves.

import { Malformed, ascii, concat, fromHex, same, sha256, toHex } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { rootOfLeaves } from "../proofs/merkle.js";
import { path, sized } from "./clauses.js";
import { checkUnit, parseDecimal } from "./quantity.js";
import { id, integer, list, maybe, object, text, uint40 } from "./shapes.js";

const SETTING_DOMAIN = keccak256(ascii("guildmark/setting/v1"));
const MEASUREMENT_DOMAIN = keccak256(ascii("guildmark/measurement/v1"));
const VALUES_MAX = 1024;
const NAME_MAX = 200;
const BEHIND_ALL = "\x7f";

const name = text(NAME_MAX);

export const readSetting = object({ path, value: text(), unit: maybe(text()) }, (setting) => {
  if (setting.unit !== null) {
    checkUnit(setting.unit);
    parseDecimal(setting.value);
  }
  return setting;
});

export const readMeasurement = object({
  characteristic: path, value: text(), unit: text(), instrument: name,
  uncertainty: maybe(text()), coverageFactor: maybe(text()), resolution: maybe(text()),
  rawData: maybe(id), operator: maybe(name), measuredOn: maybe(uint40),
}, (measured) => {
  const { unit, value, uncertainty, coverageFactor, resolution } = measured;
  checkUnit(unit);
  parseDecimal(value);
  if ((uncertainty === null) !== (coverageFactor === null)) throw new Malformed("U without k");
  for (const one of [uncertainty, coverageFactor, resolution]) {
    if (one !== null && parseDecimal(one) <= 0n) throw new Malformed("an uncertainty of nothing");
  }
  return measured;
});

export const readShownSettings = shownOf(readSetting);
export const readShownMeasurements = shownOf(readMeasurement);

function shownOf(read) {
  const opened = list(object({ leaf: integer(0, VALUES_MAX - 1), salt: id, value: read }));
  return object({ leaves: list(id, 1, VALUES_MAX), opened }, (shown) => {
    const numbers = shown.opened.map(({ leaf }) => leaf);
    if (numbers.some((one, at) => at > 0 && numbers[at - 1] >= one)) {
      throw new Malformed("leaves are opened twice or out of order");
    }
    return shown;
  });
}

/**
 * Return what a statement records, as far as it is shown.
 *
 * Each kind has `reason`, null unless others are shown than it commits to; the shown `values`, how
 * many there are (`count`, null where that is not shown), and where hidden ones may be (`mayHide`).
 */
export async function recordedOf(said, { settings, measurements }) {
  return {
    settings: await recorded("settings", said, settings, settingLeaf),
    measurements: await recorded("measurements", said, measurements, measuredLeaf),
  };
}

async function recorded(kind, said, shown, leafOf) {
  const root = said[`${kind}Root`];
  if (root === null && shown !== null) {
    return { reason: `The statement commits to no salted ${kind}, and some are shown.` };
  }
  const whole = { reason: null, values: said[kind], count: said[kind].length };
  if (root === null) return { ...whole, mayHide: () => false };
  if (shown === null) return { reason: null, values: [], count: null, mayHide: () => true };
  const reason = await mismatchOf(shown, root, leafOf);
  if (reason !== null) return { reason };
  const { leaves: { length: count }, opened } = shown;
  const values = opened.map(({ value }) => value);
  const mayHide = (path) => values.length < count && isGapAt(path, opened, count);
  return { reason, values, count, mayHide };
}

async function mismatchOf({ leaves, opened }, root, leafOf) {
  if (!same(await rootOfLeaves(leaves), root)) {
    return `The leaves that are shown do not lead to ${toHex(root)}.`;
  }
  for (const { leaf, salt, value } of opened) {
    if (leaf >= leaves.length || !same(await leafOf(salt, value), leaves[leaf])) {
      return `The value of ${pathOf(value)} is not leaf ${leaf} of the tree.`;
    }
  }
  const paths = opened.map(({ value }) => pathOf(value));
  const isOrdered = paths.every((one, at) => at === 0 || paths[at - 1] < one);
  return isOrdered ? null : "The values of the tree are not in the order of their paths.";
}

/** Return whether a hidden leaf can have this path, or one below it: paths ascend over leaves. */
function isGapAt(path, opened, count) {
  const before = opened.filter(({ value }) => pathOf(value) < path);
  const behind = opened.filter(({ value }) => pathOf(value) >= path + BEHIND_ALL);
  const first = before[before.length - 1]?.leaf ?? -1;
  const last = behind[0]?.leaf ?? count;
  return last - first - 1 > opened.length - before.length - behind.length;
}

function pathOf(value) {
  return value.path ?? value.characteristic;
}

function settingLeaf(salt, { path: named, value, unit }) {
  return sha256(concat(SETTING_DOMAIN, salt, sized(named), sized(value), optional(unit)));
}

function measuredLeaf(salt, one) {
  const said = [one.characteristic, one.value, one.unit, one.instrument].map(sized);
  const rest = [
    one.uncertainty, one.coverageFactor, one.resolution, one.rawData && toHex(one.rawData),
    one.operator, one.measuredOn === null ? null : `${one.measuredOn}`,
  ].map(optional);
  return sha256(concat(MEASUREMENT_DOMAIN, salt, ...said, ...rest));
}

function optional(written) {
  return written === null ? fromHex("0x00") : concat(fromHex("0x01"), sized(written));
}
