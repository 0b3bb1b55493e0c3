// CBOR (RFC 8949) of small values, in its one deterministic form (section 4.2.1).
//
// Three kinds alone: unsigned integers (BigInt), byte strings, arrays. What is written longer than
// needed, of another kind, or followed by anything, is refused: a value has one encoding.

import { Malformed, toInteger } from "../bytes.js";

const DEPTH_MAX = 4;
const [UINT, BYTES, ARRAY] = [0, 2, 4];
// Arguments up to here stand in the first byte; the sizes of longer ones follow from 24 on.
const SHORT = 24;
const SIZES = [1, 2, 4, 8];
// The least that needs so many bytes.
const LEAST = [24n, 1n << 8n, 1n << 16n, 1n << 32n];

/** Return the value that some bytes write; throw Malformed. */
export function readCbor(data) {
  const [value, end] = read(data, 0, DEPTH_MAX);
  if (end !== data.length) throw new Malformed("something stands behind it");
  return value;
}

function read(data, start, depth) {
  const { kind, argument, end } = readHead(data, start);
  if (kind === UINT) return [argument, end];
  // Each item of an array has a byte at least.
  if (argument > data.length - end) throw new Malformed("it ends too early");
  const size = Number(argument);
  if (kind === BYTES) return [data.slice(end, end + size), end + size];
  if (depth === 0) throw new Malformed("it is nested too deeply");
  const items = [];
  let at = end;
  for (let count = 0; count < size; count += 1) {
    const [item, next] = read(data, at, depth - 1);
    items.push(item);
    at = next;
  }
  return [items, at];
}

function readHead(data, at) {
  if (at >= data.length) throw new Malformed("it ends too early");
  const [kind, short] = [data[at] >> 5, data[at] & 31];
  if (![UINT, BYTES, ARRAY].includes(kind) || short >= SHORT + SIZES.length) {
    throw new Malformed("it is of another kind than numbers, bytes and arrays");
  }
  if (short < SHORT) return { kind, argument: BigInt(short), end: at + 1 };
  const end = at + 1 + SIZES[short - SHORT];
  const argument = toInteger(data.slice(at + 1, end));
  if (end > data.length || argument < LEAST[short - SHORT]) {
    throw new Malformed("a number is cut off, or longer than needed");
  }
  return { kind, argument, end };
}
