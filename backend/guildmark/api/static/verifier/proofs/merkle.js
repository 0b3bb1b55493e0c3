// Inclusion in a tree of RFC 9162 (2.1.3.2).

import { Malformed, concat, sha256 } from "../bytes.js";

/** Return the root to which a path leads from a leaf's data; sizes may be Numbers or BigInts. */
export async function rootOfPath(data, index, count, path) {
  if (!(index >= 0 && index < count)) throw new Malformed("no such position");
  let [at, last] = [BigInt(index), BigInt(count) - 1n];
  let found = await sha256(concat(Uint8Array.of(0), data));
  for (const hash of path) {
    if (last === 0n) throw new Malformed("a hash too many");
    if (at % 2n === 1n || at === last) {
      found = await sha256(concat(Uint8Array.of(1), hash, found));
      while (at % 2n === 0n && at !== 0n) [at, last] = [at / 2n, last / 2n];
    } else {
      found = await sha256(concat(Uint8Array.of(1), found, hash));
    }
    [at, last] = [at / 2n, last / 2n];
  }
  if (last !== 0n) throw new Malformed("a hash too few");
  return found;
}

/** Return the root over the data of leaves (RFC 9162, 2.1.1). */
export async function rootOfLeaves(leaves) {
  const hashes = await Promise.all(leaves.map((data) => sha256(concat(Uint8Array.of(0), data))));
  return rootOf(hashes);
}

async function rootOf(hashes) {
  if (hashes.length === 1) return hashes[0];
  let half = 1;
  while (2 * half < hashes.length) half *= 2;
  const [left, right] = [await rootOf(hashes.slice(0, half)), await rootOf(hashes.slice(half))];
  return sha256(concat(Uint8Array.of(1), left, right));
}
