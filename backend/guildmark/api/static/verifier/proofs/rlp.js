// Recursive Length Prefix (Ethereum yellow paper, appendix B), strict: one encoding a value.

import { Malformed, toInteger } from "../bytes.js";

const DEPTH_MAX = 8;

export function decode(data) {
  const [item, end] = itemAt(data, 0, DEPTH_MAX);
  if (end !== data.length) throw new Malformed("bytes follow the item");
  return item;
}

export function integer(item, size = 32) {
  if (Array.isArray(item) || item.length > size || item[0] === 0) {
    throw new Malformed("expected a number");
  }
  return toInteger(item);
}

function itemAt(data, at, depth) {
  const [start, end, isList] = span(data, at);
  if (!isList) return [data.subarray(start, end), end];
  if (depth === 0) throw new Malformed("nested too deeply");
  const members = [];
  const inside = data.subarray(0, end);
  for (let next = start; next < end; ) {
    const [member, behind] = itemAt(inside, next, depth - 1);
    members.push(member);
    next = behind;
  }
  return [members, end];
}

function span(data, at) {
  if (at >= data.length) throw new Malformed("cut short");
  const first = data[at];
  if (first < 0x80) return [at, at + 1, false];
  const base = first >= 0xc0 ? 0xc0 : 0x80;
  const [start, size] = sizeAt(data, at, first - base);
  if (start + size > data.length) throw new Malformed("cut short");
  if (base === 0x80 && size === 1 && data[start] < 0x80) throw new Malformed("not shortest");
  return [start, start + size, base === 0xc0];
}

function sizeAt(data, at, code) {
  if (code <= 55) return [at + 1, code];
  const start = at + 1 + code - 55;
  const digits = data.subarray(at + 1, start);
  const size = Number(toInteger(digits));
  if (digits[0] === 0 || size <= 55) throw new Malformed("not shortest");
  return [start, size];
}
