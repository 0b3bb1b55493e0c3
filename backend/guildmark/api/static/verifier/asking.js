// Asks the reader's own node of the chain: the one program of this host that may ask another host.
//
// It runs apart from the page, sees neither its words nor what the browser keeps, and knows four
// questions. Answers go to the page as they came; it judges them.

const SIZE_MAX = 4 << 20;
const QUIETLY = { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" };

class Refused extends Error {
  constructor(fault, status = null) {
    super(fault);
    Object.assign(this, { fault, status });
  }
}

self.addEventListener("message", async ({ data: { address, number } }) => {
  try {
    const asked = questions(number).map((question) => answered(address, question));
    self.postMessage({ fault: null, answers: await Promise.all(asked) });
  } catch (error) {
    const { fault, status } = error instanceof Refused ? error : await unread(address);
    self.postMessage({ fault, status });
  }
});

/** Return which chain it is, its first block, a block by its number, and the newest final one. */
function questions(number) {
  const block = (tag) => ({ method: "eth_getBlockByNumber", params: [tag, false] });
  return [{ method: "eth_chainId", params: [] }, block("0x0"), block(number), block("finalized")];
}

async function answered(address, question) {
  const answer = await fetch(address, {
    ...QUIETLY, method: "POST", redirect: "error", headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...question }),
  });
  if (!answer.ok) throw new Refused("status", answer.status);
  const reader = answer.body.getReader();
  const pieces = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    size += read.value.length;
    if (size > SIZE_MAX) {
      await reader.cancel();
      throw new Refused("large");
    }
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Return why nothing was read: browsers tell no program whether nobody answered, or in private. */
async function unread(address) {
  try {
    await fetch(address, { ...QUIETLY, mode: "no-cors" });
    return new Refused("hidden");
  } catch {
    return new Refused("silent");
  }
}
