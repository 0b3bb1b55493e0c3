// Merkle-Patricia proofs (yellow paper, appendix D): a value under a key, or proven absence.

import { Malformed, concat, same, toHex } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { decode, integer } from "./rlp.js";

const EMPTY_ROOT = toHex(keccak256(Uint8Array.of(0x80)));
const NODES_MAX = 65;
const NODE_SIZE_MAX = 1024;

/** Return the value that the trie holds at a key, or null where it holds none; throw Malformed. */
export function prove(root, key, nodes) {
  if (nodes.length > NODES_MAX || nodes.some((node) => node.length > NODE_SIZE_MAX)) {
    throw new Malformed("larger than any real proof");
  }
  const isEmpty = nodes.length === 0 || (nodes.length === 1 && toHex(nodes[0]) === "0x80");
  if (isEmpty && toHex(root) === EMPTY_ROOT) return null;
  const left = [...nodes].reverse();
  const value = follow(root, nibbles(key), left);
  if (left.length > 0) throw new Malformed("nodes that lead nowhere");
  return value;
}

export function proveAccount(root, address, nodes) {
  const value = prove(root, keccak256(address), nodes);
  if (value === null) return null;
  const items = decode(value);
  if (!Array.isArray(items) || items.length !== 4) throw new Malformed("no account");
  const [nonce, balance] = [integer(items[0], 8), integer(items[1])];
  return { nonce, balance, storageRoot: hash(items[2]), codeHash: hash(items[3]) };
}

export function proveSlot(root, slot, nodes) {
  const value = prove(root, keccak256(slot), nodes);
  return value === null ? 0n : integer(decode(value));
}

function follow(root, key, left) {
  let link = root;
  let path = key;
  while (link.length > 0) {
    const node = open(link, left);
    if (node.length === 17) {
      if (path.length === 0) throw new Malformed("a branch behind the end of the key");
      link = checkedLink(node[path[0]]);
      path = path.slice(1);
      continue;
    }
    const [isLeaf, part] = decompact(node);
    const fits = same(part, path.slice(0, part.length));
    if (isLeaf) return fits && part.length === path.length ? leafValue(node[1]) : null;
    if (part.length === 0) throw new Malformed("an extension extends nothing");
    link = fits ? checkedLink(node[1]) : new Uint8Array();
    path = path.slice(part.length);
  }
  return null;
}

function open(link, left) {
  // A node of less than 32 bytes stands in its parent itself.
  const node = Array.isArray(link) ? link : decode(take(link, left));
  if (!Array.isArray(node)) throw new Malformed("a node is no list");
  return node;
}

function take(expected, left) {
  const node = left.pop();
  if (node === undefined) throw new Malformed("a node is missing");
  if (!same(keccak256(node), expected)) throw new Malformed("a node has another hash");
  return node;
}

function decompact(node) {
  if (node.length !== 2) throw new Malformed("neither branch, extension nor leaf");
  const path = nibbles(bytesOf(node[0]));
  if (path.length === 0 || path[0] > 3) throw new Malformed("no valid prefix");
  const isOdd = (path[0] & 1) === 1;
  if (!isOdd && path[1] !== 0) throw new Malformed("no valid prefix");
  return [path[0] >= 2, path.slice(isOdd ? 1 : 2)];
}

function checkedLink(item) {
  if (!Array.isArray(item) && item.length !== 0 && item.length !== 32) {
    throw new Malformed("a link is neither a hash nor a node");
  }
  return item;
}

function leafValue(item) {
  const value = bytesOf(item);
  if (value.length === 0) throw new Malformed("a leaf is empty");
  return value;
}

function hash(item) {
  const value = bytesOf(item);
  if (value.length !== 32) throw new Malformed("a hash has another size");
  return value;
}

function bytesOf(item) {
  if (Array.isArray(item)) throw new Malformed("a list stands where bytes must be");
  return item;
}

function nibbles(data) {
  return concat(...Array.from(data, (byte) => Uint8Array.of(byte >> 4, byte & 15)));
}
