// Labels of parts: GS1 Digital Link URIs, and the own form for makers without a GS1 prefix.

import { Malformed } from "../bytes.js";
import * as gs1 from "./gs1.js";

const LINK_MAX = 400;
const OWN = "id";
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const NAME = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = new RegExp(`^(?=.{1,253}(?::|$))${NAME}(?:\\.${NAME})*(?::[1-9][0-9]{0,4})?$`);
const OPERATOR = /^[0-9a-z]{6,66}$/;
const KEYS = {
  "00": gs1.sscc, "01": gs1.gtin, 253: gs1.gdti, 414: gs1.gln, 417: gs1.gln, 8003: gs1.grai,
  8004: gs1.giai, 8010: gs1.cpid,
};
// An indicator or a zero stands before the prefix.
const INDICATED = ["00", "01", "8003"];
// In the order in which the syntax demands them.
const QUALIFIERS = {
  "01": [["22", gs1.characters()], ["10", gs1.characters()], ["21", gs1.characters()],
    ["235", gs1.characters(28)]],
  414: [["254", gs1.characters()]],
  8010: [["8011", gs1.cpidSerial]],
};

/** Return the link that a text writes, in any form of the syntax; throw Malformed. */
export function parseLink(text) {
  if (text.length > LINK_MAX || !/^[\x20-\x7e]*$/.test(text)) refuse();
  const [, scheme, host, path] = /^([^?]*?):\/\/([^/?]*)\/?([^?]*)/.exec(text) ?? refuse();
  if (scheme.toLowerCase() !== "https") refuse();
  for (const part of queryOf(text)) unescaped(part);
  const segments = path.replace(/\/$/, "").split("/").map(unescaped);
  const { prefix, key, values } = split(segments);
  const link = { host: host.toLowerCase(), prefix, key, ...named(key, values) };
  const isHidden = prefix.some((segment) => ["", ".", ".."].includes(segment));
  if (!HOST.test(link.host) || isHidden) refuse();
  return link;
}

/** Return the link that a label is; labels have one text only. */
export function parseLabel(text) {
  const link = parseLink(text);
  const { host, prefix, key, value, qualifiers } = link;
  const below = key === OWN ? [qualifiers[0][1]] : qualifiers.flat();
  const segments = [...prefix, key, value, ...below].map(escaped);
  if (text !== `https://${host}/${segments.join("/")}`) refuse();
  const isAnother = prefix.some((segment, at) => at + 1 < prefix.length
    && Object.hasOwn(KEYS, segment) && /^[0-9]{1,4}$/.test(prefix[at + 1].slice(0, 4)));
  if (isAnother || (key === OWN && prefix.length > 0)) refuse();
  return link;
}

/** Return whether two links name one thing, whatever their hosts. */
export function isSameThing(one, other) {
  const thing = ({ key, value, qualifiers }) => JSON.stringify([key, value, qualifiers]);
  return thing(one) === thing(other);
}

/** Return whether the operator of a log may give a label: in the own form it names him. */
export function isOfOperator({ key, value }, operator) {
  return key !== OWN || value === token(operator);
}

/** Return what begins with a GS1 company prefix, null in the own form. */
export function prefixed({ key, value }) {
  if (key === OWN) return null;
  return INDICATED.includes(key) ? value.slice(1) : value;
}

export function isOwn({ key }) {
  return key === OWN;
}

/** Return 80 bits of an operator's id in base32. */
function token(operator) {
  let bits = 0n;
  for (const byte of operator.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: 16 }, (_, at) => (
    ALPHABET[Number((bits >> BigInt(75 - 5 * at)) & 31n)]
  )).join("");
}

function split(segments) {
  const own = segments.length - 3;
  if (own >= 0 && segments[own] === OWN && OPERATOR.test(segments[own + 1])) {
    return { prefix: segments.slice(0, own), key: OWN, values: segments.slice(own + 1) };
  }
  // From the right, since the path in front of the key may look like one.
  for (let at = segments.length - 2; at >= 0; at -= 2) {
    if (Object.hasOwn(KEYS, segments[at])) {
      return { prefix: segments.slice(0, at), key: segments[at], values: segments.slice(at + 1) };
    }
  }
  return refuse();
}

function named(key, [value, ...rest]) {
  if (key === OWN) return { value, qualifiers: [["21", serial(gs1.characters()(rest[0]))]] };
  if (rest.length % 2 === 1) refuse();
  const qualifiers = rest.flatMap((name, at) => (at % 2 ? [] : [[name, rest[at + 1]]]));
  const known = QUALIFIERS[key] ?? [];
  const names = qualifiers.map(([name]) => name);
  const inOrder = known.map(([name]) => name).filter((name) => names.includes(name));
  if (names.join() !== inOrder.join() || (names.includes("235") && names.length > 1)) refuse();
  const readers = new Map(known);
  for (const [name, found] of qualifiers) serial(readers.get(name)(found));
  return { value: KEYS[key](value), qualifiers };
}

function serial(value) {
  return [".", ".."].includes(value) ? refuse() : value;
}

function queryOf(text) {
  const at = text.indexOf("?");
  return at < 0 ? [] : text.slice(at + 1).split("&").flatMap((pair) => {
    const cut = pair.indexOf("=");
    return cut < 0 ? [pair] : [pair.slice(0, cut), pair.slice(cut + 1)];
  });
}

function escaped(segment) {
  return segment.replace(/[^A-Za-z0-9._~-]/g, (letter) => (
    `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
  ));
}

function unescaped(segment) {
  return segment.replace(/%([0-9A-Fa-f]{2})|%/g, (_, code) => {
    const found = Number.parseInt(code ?? "0", 16);
    return found >= 0x20 && found < 0x7f ? String.fromCharCode(found) : refuse();
  });
}

function refuse() {
  throw new Malformed("no link of a label");
}
