// GS1 identification keys: their syntax and check digits (GS1 General Specifications, 7.9).

import { Malformed } from "../bytes.js";

const CHARACTERS = /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+$/;

export function gtin(value) {
  if (![8, 12, 13, 14].includes(value.length)) refuse();
  return checked(value).padStart(14, "0");
}

export const gln = (value) => sized(value, 13);
export const sscc = (value) => sized(value, 18);

export function giai(value) {
  if (!/^[0-9]{4}./.test(value)) refuse();
  return characters(30)(value);
}

export function gdti(value) {
  return sized(value.slice(0, 13), 13) + serial(value.slice(13), 17);
}

export function grai(value) {
  if (!value.startsWith("0")) refuse();
  return `0${sized(value.slice(1, 14), 13)}${serial(value.slice(14), 16)}`;
}

export function cpid(value) {
  return /^[0-9]{4}[#\-/0-9A-Z]{1,26}$/.test(value) ? value : refuse();
}

export function cpidSerial(value) {
  return /^(?:[1-9][0-9]{0,11}|0)$/.test(value) ? value : refuse();
}

/** Return a reader of at most so many characters of GS1's set 82. */
export function characters(most = 20) {
  return (value) => (CHARACTERS.test(value) && value.length <= most ? value : refuse());
}

function serial(value, most) {
  return value === "" ? "" : characters(most)(value);
}

function sized(value, size) {
  return value.length === size ? checked(value) : refuse();
}

function checked(value) {
  if (!/^[0-9]{2,}$/.test(value)) refuse();
  const weighed = [...value].reverse().map((digit, at) => Number(digit) * (at % 2 ? 3 : 1));
  return weighed.reduce((sum, one) => sum + one, 0) % 10 === 0 ? value : refuse();
}

function refuse() {
  throw new Malformed("no key of GS1");
}
