// Block headers (yellow paper 4.4.3): the hash that a reader trusts, the state root it binds.

import { Malformed } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { decode, integer } from "./rlp.js";

const SIZE_MAX = 1 << 16;
const FIXED = { 0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8 };

export function decodeHeader(data) {
  if (data.length > SIZE_MAX) throw new Malformed("too large");
  const fields = decode(data);
  if (!Array.isArray(fields) || fields.length < 15 || fields.length > 32) {
    throw new Malformed("a header is a list of 15 to 32 fields");
  }
  const isWrong = Object.entries(FIXED).some(([at, size]) => fields[at].length !== size);
  if (fields.some(Array.isArray) || isWrong) throw new Malformed("a field of another kind");
  return {
    hash: keccak256(data),
    number: integer(fields[8], 8),
    time: integer(fields[11], 8),
    stateRoot: fields[3],
  };
}
