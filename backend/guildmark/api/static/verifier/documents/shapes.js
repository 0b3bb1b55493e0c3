// Strict reading of documents: each member has its kind, and unknown members are refused.

import { Malformed, fromHex } from "../bytes.js";
import { canonical } from "./json.js";

const TEXT_MAX = 4096;
export const UINT40_MAX = 2 ** 40 - 1;

/** Return a reader of an object with these members and no others. */
export function object(members, make = (found) => found) {
  return (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      throw new Malformed("expected an object");
    }
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(members, name));
    if (unknown !== undefined) throw new Malformed(`an unknown member ${unknown.slice(0, 40)}`);
    const found = {};
    for (const [name, read] of Object.entries(members)) {
      if (name in value) found[name] = read(value[name]);
      else if ("absent" in read) found[name] = read.absent;
      else throw new Malformed(`the member ${name} is missing`);
    }
    return make(found);
  };
}

/** Return a reader of a member that may be absent. */
export function maybe(read, absent = null) {
  return Object.assign((value) => read(value), { absent });
}

/** Return a reader of a member that is left out where it has this value: one form a value. */
export function unless(usual, read) {
  const strict = (value) => {
    if (canonical(value) === canonical(usual)) throw new Malformed("a member says what is usual");
    return read(value);
  };
  return Object.assign(strict, { absent: read(usual) });
}

export function list(read, least = 0, most = Infinity) {
  return (value) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      throw new Malformed("expected a list, and no longer one");
    }
    return value.map((one) => read(one));
  };
}

export function text(most = TEXT_MAX) {
  return (value) => {
    // People count characters, JavaScript halves of pairs.
    if (typeof value !== "string" || (value.length > most && [...value].length > most)) {
      throw new Malformed("expected a text, and no longer one");
    }
    return value;
  };
}

export function integer(least = 0, most = Number.MAX_SAFE_INTEGER) {
  return (value) => {
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new Malformed("expected a number in its range");
    }
    return value;
  };
}

/** Return a reader of a number that is a decimal string beyond 2^53 - 1, as a BigInt. */
export function large(bits = 256) {
  return (value) => {
    const isText = typeof value === "string" && /^[1-9][0-9]{0,77}$/.test(value);
    const found = BigInt(isText ? value : integer()(value));
    if (found >> BigInt(bits) || (isText && found <= BigInt(Number.MAX_SAFE_INTEGER))) {
      throw new Malformed("expected a number in its one form");
    }
    return found;
  };
}

export function bytes(size) {
  return (value) => fromHex(value, size);
}

export function flag(value) {
  if (typeof value !== "boolean") throw new Malformed("expected true or false");
  return value;
}

export function oneOf(...known) {
  return (value) => {
    if (!known.includes(value)) throw new Malformed("expected a word or number that is known");
    return value;
  };
}

export const id = bytes(32);
export const uint40 = integer(0, UINT40_MAX);
export const number40 = integer(1, UINT40_MAX);
