// Base45 (RFC 9285): bytes in the 45 letters for which QR codes need the least room.

import { Malformed } from "../bytes.js";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));

/** Return the bytes of some letters; throw Malformed. */
export function fromBase45(text) {
  const data = [];
  for (let at = 0; at < text.length; at += 3) data.push(...bytesOf(text.slice(at, at + 3)));
  return Uint8Array.from(data);
}

/** Three letters are two bytes, two are one; a letter alone would stand for none. */
function bytesOf(letters) {
  let value = 0;
  for (const letter of [...letters].reverse()) {
    const place = VALUES.get(letter);
    if (place === undefined) throw new Malformed("a letter is none of Base45");
    value = value * VALUES.size + place;
  }
  const size = letters.length - 1;
  if (size < 1 || value >= 256 ** size) throw new Malformed("letters that stand for no bytes");
  return size === 1 ? [value] : [value >> 8, value & 255];
}
