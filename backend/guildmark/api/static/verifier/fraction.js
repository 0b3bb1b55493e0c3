// Exact fractions of BigInts, for quantities and units; a denominator is always above 0.

export const ZERO = { n: 0n, d: 1n };

export function fraction(n, d = 1n) {
  return d < 0n ? { n: -n, d: -d } : { n, d };
}

/** Return the fraction that a text such as 1/60 writes. */
export function parseFraction(text) {
  const [n, d = "1"] = text.split("/");
  return fraction(BigInt(n), BigInt(d));
}

export const plus = (one, other) => fraction(one.n * other.d + other.n * one.d, one.d * other.d);
export const minus = (one, other) => fraction(one.n * other.d - other.n * one.d, one.d * other.d);
export const times = (one, other) => fraction(one.n * other.n, one.d * other.d);
export const over = (one, other) => fraction(one.n * other.d, one.d * other.n);
export const isLess = (one, other) => one.n * other.d < other.n * one.d;
export const isSame = (one, other) => one.n * other.d === other.n * one.d;

/** Return a number that is not below 0 to two places, half to even, for people. */
export function rounded({ n, d }) {
  const [whole, rest] = [(100n * n) / d, (100n * n) % d];
  const isUp = 2n * rest > d || (2n * rest === d && whole % 2n === 1n);
  const digits = String(isUp ? whole + 1n : whole).padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
