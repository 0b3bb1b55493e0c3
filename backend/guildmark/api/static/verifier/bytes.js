// Bytes, hex and numbers; every reader refuses what is not in its one form.

export class Malformed extends Error {}

export function fromHex(text, size) {
  if (typeof text !== "string" || !/^0x([0-9a-f]{2})*$/.test(text)) {
    throw new Malformed("expected 0x and lower-case hex");
  }
  const data = new Uint8Array(text.length / 2 - 1);
  for (let at = 0; at < data.length; at += 1) {
    data[at] = Number.parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16);
  }
  if (size !== undefined && data.length !== size) {
    throw new Malformed(`expected ${size} bytes, found ${data.length}`);
  }
  return data;
}

export function toHex(data) {
  return `0x${Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export function toInteger(data) {
  return data.length === 0 ? 0n : BigInt(toHex(data));
}

/** A 32-byte word that holds a number. */
export function word(value) {
  return fromHex(`0x${BigInt(value).toString(16).padStart(64, "0")}`, 32);
}

export function ascii(text) {
  return new TextEncoder().encode(text);
}

export function fromBase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw new Malformed("expected base64");
  }
  const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  // Unused bits would give one value many texts.
  let again = "";
  for (const byte of data.slice(-(data.length % 3 || 3))) again += String.fromCharCode(byte);
  if (data.length > 0 && btoa(again) !== text.slice(-4)) throw new Malformed("unused bits");
  return data;
}

export async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}
