// Typed data that people sign for one contract of one chain (EIP-712), and who signed it.

import { ascii, concat, toInteger, word } from "./bytes.js";
import { keccak256, secp256k1 } from "./crypto.js";

const DOMAIN = keccak256(ascii(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
));
const VERSION = keccak256(ascii("1"));
const HEAD = Uint8Array.of(0x19, 0x01);
const [SIZE, FIRST_V] = [65, 27];

/** Return what is signed: the digest of a struct's hash, for a contract by its name. */
export function typedDigest(name, { chainId, contract }, struct) {
  const place = concat(word(chainId), new Uint8Array(12), contract);
  const domain = keccak256(concat(DOMAIN, keccak256(ascii(name)), VERSION, place));
  return keccak256(concat(HEAD, domain, struct));
}

/** Return the account that signed a digest as a number, null where the signature is none. */
export function signerOf(digest, signature) {
  const bit = signature[SIZE - 1] - FIRST_V;
  if (signature.length !== SIZE || ![0, 1].includes(bit)) return null;
  const key = recovered(digest, signature.subarray(0, SIZE - 1), bit);
  return key === null ? null : toInteger(keccak256(key.subarray(1)).subarray(12));
}

function recovered(digest, compact, bit) {
  try {
    const signature = secp256k1.Signature.fromCompact(compact).addRecoveryBit(bit);
    // Whoever turns s round would make another signature of one.
    return signature.hasHighS() ? null : signature.recoverPublicKey(digest).toRawBytes(false);
  } catch {
    // r or s outside the order, or no point of the curve.
    return null;
  }
}
