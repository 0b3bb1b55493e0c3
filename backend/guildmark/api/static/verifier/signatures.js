// Signatures of machines: secp256k1 by @noble, P-256 and Ed25519 by WebCrypto.

import { concat, sha256, toInteger, word } from "./bytes.js";
import { secp256k1 } from "./crypto.js";

const SIZE = 64;
const P256_PRIME = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const P256_B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const VERIFIERS = { 1: bySecp256k1, 2: byP256, 3: byEd25519 };

/** Return whether a key signed a message; throw where the browser cannot say. */
export async function holds(key, message, signature) {
  return signature.length === SIZE && (await VERIFIERS[key.algorithm](key.data, message, signature));
}

async function bySecp256k1(data, message, signature) {
  return secp256k1.verify(signature, await sha256(message), data, { lowS: true });
}

async function byP256(data, message, signature) {
  // Whoever turns s round would make another signature of one.
  if (toInteger(signature.subarray(32)) > P256_ORDER / 2n) return false;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("raw", point(data), algorithm, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, message);
}

async function byEd25519(data, message, signature) {
  const key = await crypto.subtle.importKey("raw", data, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

/** Return a point of P-256 with both coordinates (SEC 1, 2.3.4). */
function point(compressed) {
  const x = toInteger(compressed.subarray(1));
  const square = (x ** 3n - 3n * x + P256_B) % P256_PRIME;
  const root = power((square + P256_PRIME) % P256_PRIME, (P256_PRIME + 1n) / 4n);
  const y = (root & 1n) === BigInt(compressed[0] & 1) ? root : P256_PRIME - root;
  return concat(Uint8Array.of(4), word(x), word(y));
}

function power(base, exponent) {
  let [found, square] = [1n, base];
  for (const bit of [...exponent.toString(2)].reverse()) {
    if (bit === "1") found = (found * square) % P256_PRIME;
    square = (square * square) % P256_PRIME;
  }
  return found;
}

