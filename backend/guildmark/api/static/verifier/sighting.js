// What the reader's own node of the chain says of the block that the evidence rests on.

import { Malformed, fromHex, toHex } from "./bytes.js";
import { parse } from "./documents/json.js";

const ADDRESS_MAX = 2048;
const ANSWER_MAX = 4 << 20;
const HASH_SIZE = 32;
// Milliseconds in which the node must have said everything.
const PATIENCE = 10_000;
const OWN_MACHINE = ["localhost", "127.0.0.1"];
const QUANTITY = /^0x[0-9a-f]{1,16}$/;
const FAULTS = {
  silent: () => "could not be reached",
  late: () => `did not answer within ${PATIENCE / 1000} seconds`,
  large: () => `answered with more than ${ANSWER_MAX} bytes`,
  status: ({ status }) => `answered with status ${status}`,
  hidden: () => "answers, but lets no page of this host read what it says, or it leads elsewhere. "
    + `Let it allow the origin ${globalThis.location?.origin} (CORS; geth: --http.corsdomain)`,
};

/** Return a node's address in its usual form; throw Malformed where no page should ask there. */
export function readAddress(text) {
  const found = text.length <= ADDRESS_MAX && URL.canParse(text) ? new URL(text) : null;
  const isReadable = found !== null && (found.protocol === "https:"
    || (found.protocol === "http:" && OWN_MACHINE.includes(found.hostname)));
  if (!isReadable) {
    throw new Malformed("A node's address begins with https://, or with http://localhost or "
      + "http://127.0.0.1 for one on this machine.");
  }
  if (found.username !== "" || found.password !== "" || found.hash !== "") {
    throw new Malformed("A node's address has no name, password or part behind a # in it.");
  }
  return found.href;
}

/** Return whether an address says only where the node is: a path or a query may hold a key. */
export function isBare(address) {
  const { pathname, search } = new URL(address);
  return pathname === "/" && search === "";
}

/**
 * Return what a node says of a block: the sighting that (0) judges, the number of its newest final
 * block, null where it names none, and in words what went wrong, null where nothing did.
 */
export async function sighted(address, number) {
  const { host } = new URL(address);
  const said = await asked({ address, number: `0x${number.toString(16)}` });
  if (said.fault !== null) return unseen(`${host} ${FAULTS[said.fault](said)}.`);
  try {
    return { ...understood(said.answers, number), fault: null };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return unseen(`${host} does not answer as a node of a chain does: ${error.message}.`);
  }
}

/** Return the sighting and the newest final block in a node's four answers; throw Malformed. */
export function understood(answers, number) {
  const [chainId, ...blocks] = answers.map(resultOf);
  const [genesis, block, final] = blocks.map(blockOf);
  const isOther = block !== null && block.number !== number;
  if (genesis?.number !== 0n || isOther) throw new Malformed("it is about another block");
  const chain = [Number(quantity(chainId)), genesis.hash];
  if (!Number.isSafeInteger(chain[0])) throw new Malformed("it has no number of a chain");
  const isFinal = final !== null && number <= final.number;
  return { newest: final?.number ?? null,
    sighting: { isReached: true, hash: block?.hash ?? null, isFinal, chain } };
}

function unseen(fault) {
  return { sighting: { isReached: false }, newest: null, fault };
}

/** Let the program that may ask other hosts ask; it is ended when it takes too long. */
function asked(question) {
  const worker = new Worker(new URL("./asking.js", import.meta.url));
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ fault: "late" }), PATIENCE);
    worker.addEventListener("message", ({ data }) => {
      clearTimeout(timer);
      resolve(data);
    });
    worker.addEventListener("error", () => resolve({ fault: "silent" }));
    worker.postMessage(question);
  }).finally(() => worker.terminate());
}

function resultOf(data) {
  const answer = members(parse(data, { size: ANSWER_MAX }));
  if ("error" in answer || !("result" in answer)) throw new Malformed("it refuses a question");
  return answer.result;
}

function blockOf(value) {
  if (value === null) return null;
  const { number, hash } = members(value);
  return { number: quantity(number), hash: toHex(fromHex(hash, HASH_SIZE)) };
}

function members(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Malformed("no object");
  }
  return value;
}

function quantity(value) {
  if (typeof value !== "string" || !QUANTITY.test(value)) throw new Malformed("no quantity");
  return BigInt(value);
}
