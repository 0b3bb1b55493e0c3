// Keys and signatures of machines: secp256k1 by @noble, P-256 and Ed25519 by WebCrypto.

import { Malformed, ascii, concat, same, sha256, toInteger, word } from "./bytes.js";
import { keccak256, secp256k1 } from "./crypto.js";

const KEY_DOMAIN = keccak256(ascii("guildmark/key/v1"));

const SIZE = 64;
const ED25519 = 3;
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256 = {
  prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
  a: -3n,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
};
const SECP256K1 = { prime: 2n ** 256n - 2n ** 32n - 977n, a: 0n, b: 7n };
const CURVES = { 1: SECP256K1, 2: P256 };
const ED25519_PRIME = 2n ** 255n - 19n;
// y of the points whose order divides 8: under such a key anybody can sign anything.
const ORDER8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const ED25519_SMALL_ORDER = [0n, 1n, ED25519_PRIME - 1n, ORDER8_Y, ED25519_PRIME - ORDER8_Y];
const VERIFIERS = { 1: bySecp256k1, 2: byP256, 3: byEd25519 };

/** Return the id of a machine's key: keccak256(abi.encode(domain, machine, algorithm, bytes)). */
export function keyId(machine, { algorithm, data }) {
  const padding = new Uint8Array((32 - (data.length % 32)) % 32);
  const tail = concat(word(data.length), data, padding);
  return keccak256(concat(KEY_DOMAIN, machine, word(algorithm), word(4 * 32), tail));
}

/** Return whether a key signed an envelope: "held", "missing" or "invalid". */
export async function signed({ type, payload, signatures }, name, key) {
  const own = signatures.find(({ keyid }) => same(keyid, name));
  if (own === undefined) return "missing";
  const kind = ascii(type);
  // DSSE's pre-authentication encoding.
  const head = ascii(`DSSEv1 ${kind.length} ${type} ${payload.length} `);
  return (await verifies(key, concat(head, payload), own.sig)) ? "held" : "invalid";
}

/** Return whether a signature over a message is a key's. */
export async function verifies({ algorithm, data }, message, signature) {
  return signature.length === SIZE && VERIFIERS[algorithm](data, message, signature);
}

async function bySecp256k1(data, message, signature) {
  return secp256k1.verify(signature, await sha256(message), data, { lowS: true });
}

async function byP256(data, message, signature) {
  // Whoever turns s round would make another signature of one.
  if (toInteger(signature.subarray(32)) > P256_ORDER / 2n) return false;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("raw", point(data, P256), algorithm, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, message);
}

async function byEd25519(data, message, signature) {
  const key = await crypto.subtle.importKey("raw", data, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

/** Return a key as it is shown; throw Malformed where it is none, or one that all can sign under. */
export function checkKey(key) {
  if (key.algorithm === ED25519) {
    const y = toInteger(Uint8Array.from(key.data).reverse()) & (2n ** 255n - 1n);
    const isSmall = y >= ED25519_PRIME || ED25519_SMALL_ORDER.includes(y);
    if (key.data.length !== 32 || isSmall) throw new Malformed("no public key");
  } else {
    point(key.data, CURVES[key.algorithm]);
  }
  return key;
}

/** Return a compressed point with both coordinates (SEC 1, 2.3.4); throw Malformed. */
function point(compressed, { prime, a, b }) {
  const x = toInteger(compressed.subarray(1));
  const isCompressed = compressed.length === 33 && [2, 3].includes(compressed[0]);
  if (!isCompressed || x >= prime) throw new Malformed("no public key");
  const square = (((x ** 3n + a * x + b) % prime) + prime) % prime;
  const root = power(square, (prime + 1n) / 4n, prime);
  if ((root * root) % prime !== square) throw new Malformed("no public key");
  const y = (root & 1n) === BigInt(compressed[0] & 1) ? root : prime - root;
  return concat(Uint8Array.of(4), word(x), word(y));
}

function power(base, exponent, prime) {
  let [found, square] = [1n, base];
  for (const bit of [...exponent.toString(2)].reverse()) {
    if (bit === "1") found = (found * square) % prime;
    square = (square * square) % prime;
  }
  return found;
}
