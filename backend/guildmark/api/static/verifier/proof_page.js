// The verdict about a proof code, in the page on which parts are checked: the code is not sent.
//
// Never green, as a proof code's verdict is not. All that is written is text.

import { Malformed } from "./bytes.js";
import { readProof } from "./documents/proof.js";
import { hostsList, ownList } from "./lists.js";
import { verifyProofCode } from "./proof_code.js";
import { readTrust } from "./trust.js";

const ASKED = { 0: "chain and block", 3: "place in the log" };
const REST = "All other checks: a proof code does not hold what they look at.";
const section = document.getElementById("proof");

/** Show what a code proves by the reader's own list, or by the host's where he keeps none. */
export async function show(text) {
  let proof;
  try {
    proof = readProof(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    write({ headline: "This code cannot be read", isBad: false, who: "Scan it again, or copy its "
      + "whole text.", lines: [`This is no proof code: ${error.message}.`], text: null });
    return;
  }
  const { trust, who } = await list();
  const { headline, verdict, checks, notes } = await verifyProofCode(proof, trust);
  const lines = [...checks.filter(({ number }) => number in ASKED).map(said), REST, ...notes];
  write({ headline, isBad: verdict === "problem", who, lines, text });
}

/** Return the list to judge by, null where none can be read, and whose it is in words. */
async function list() {
  const own = ownList();
  const { host } = section.dataset;
  try {
    if (own !== null) {
      const trust = await readTrust(own);
      return { trust, who: "Checked by you: in this browser, by your own list." };
    }
    const trust = await readTrust(await hostsList());
    return { trust, who: `Checked by this browser, by the list that ${host} publishes: the host's `
      + "word on whom to trust, not yours. A list of your own is taken on any part's page." };
  } catch (error) {
    return { trust: null, who: `Checked by this browser, by no list: ${error.message}` };
  }
}

function said({ number, state, code, reason }) {
  const title = `(${number}) ${ASKED[number]}`;
  return state === "ok" ? `${title}: holds. ${reason}` : `${title}: ${reason} (${code})`;
}

function write({ headline, isBad, who, lines, text }) {
  section.className = `card verdict ${isBad ? "bad" : "none"}`;
  element("bad").hidden = !isBad;
  element("none").hidden = isBad;
  element("title").textContent = headline;
  element("who").textContent = who;
  element("lines").replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
  element("more").hidden = text === null;
  if (text !== null) element("part").href = `/verify?q=${encodeURIComponent(text)}`;
  section.hidden = false;
  element("title").focus();
}

function element(name) {
  return document.getElementById(`proof-${name}`);
}
