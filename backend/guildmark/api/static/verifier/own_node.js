// The page's form for the reader's own node: its address, whether it is kept, and what it said.

import { Malformed } from "./bytes.js";
import { isBare, readAddress, sighted } from "./sighting.js";

const KEPT = "guildmark.node";
const UNASKED = "No node of yours was asked: that a block is on the chain says the server or your "
  + "list.";
const LISTED = "Your list knows the block by itself: your node was not asked.";

/** Return the reader's node, and let him name another one; `changed` is called when he did. */
export function ownNode(changed) {
  const node = { address: kept() };
  const field = element("own-rpc");
  const ask = () => {
    try {
      node.address = readAddress(field.value.trim());
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      say(error.message);
      return;
    }
    keep(node.address);
    field.value = "";
    changed();
  };
  element("own-ask").addEventListener("click", ask);
  field.form.addEventListener("submit", (event) => {
    // No address in the page's own one, nor to its server.
    event.preventDefault();
    ask();
  });
  element("own-unask").addEventListener("click", () => {
    node.address = null;
    localStorage.removeItem(KEPT);
    changed();
  });
  return node;
}

/**
 * Return what the reader's node says of the block that evidence rests on; null where it is not
 * asked: he names none, there is no block, or his list knows it by itself.
 */
export async function look(node, trust, block) {
  const { address } = node;
  element("own-unask").hidden = address === null;
  const isListed = (trust.blocks ?? []).some(({ number }) => BigInt(number) === block?.number);
  if (address === null || block === null || isListed) {
    say(address !== null && isListed ? LISTED : UNASKED);
    return null;
  }
  const { host } = new URL(address);
  say(`${host} is asked…`);
  const seen = await sighted(address, block.number);
  // Meanwhile he may have named another one.
  if (node.address === address) say(seen.fault ?? said(host, seen, block));
  return { ...seen, host };
}

/** Return what a node said that was understood. */
function said(host, { newest, sighting: { hash } }, { number, hash: shown }) {
  if (hash === null) return `${host} does not have block ${number}.`;
  if (hash !== shown) return `${host} has another block ${number}: ${hash}.`;
  const since = newest === null ? 0n : newest - number;
  const head = newest === null ? "it calls none final" : `its newest final block is ${newest}`;
  const unasked = since > 0n ? ` What changed in the ${since} since then, it was not asked.` : "";
  return `${host}, which you named, has block ${number} of the evidence; ${head}.${unasked}`;
}

function kept() {
  const text = localStorage.getItem(KEPT);
  if (text === null) return null;
  try {
    return readAddress(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return null;
  }
}

/** Keep an address for the next part, but none that may hold a key. */
function keep(address) {
  if (isBare(address)) localStorage.setItem(KEPT, address);
  else localStorage.removeItem(KEPT);
}

function say(text) {
  element("own-head").textContent = text;
}

function element(name) {
  return document.getElementById(name);
}
