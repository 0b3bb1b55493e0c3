// What the page asks its own host for: no more than can be held, and not for ever.

const SIZE_MAX = 64 << 20;
// Milliseconds in which an answer must be whole.
const PATIENCE = 60_000;

/** Return the bytes at an address of the page's own host; throw where they do not come whole. */
export async function fetched(address) {
  const answer = await fetch(address, {
    redirect: "error", signal: AbortSignal.timeout(PATIENCE),
  });
  if (!answer.ok) throw new Error(`the server answers ${answer.status} for ${address}.`);
  const reader = answer.body.getReader();
  const pieces = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    size += read.value.length;
    if (size > SIZE_MAX) {
      await reader.cancel();
      throw new Error("the evidence is too large.");
    }
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
