// What browsers lack: secp256k1 and Keccak-256, of the audited @noble packages.
// scripts/bundle_scripts.py makes crypto.js of this file.
export { secp256k1 } from "@noble/curves/secp256k1";
export { keccak_256 as keccak256 } from "@noble/hashes/sha3";
