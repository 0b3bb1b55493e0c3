// Whom to trust: the reader's own list, which his browser keeps, and the one that the host publishes.

import { fetched } from "./fetched.js";

const KEPT = "guildmark.trust";
const HOSTS = "/.well-known/guildmark-trust.json";

/** Return the bytes of the reader's own list, null where this browser keeps none. */
export function ownList() {
  const text = localStorage.getItem(KEPT);
  return text === null ? null : new TextEncoder().encode(text);
}

/** Keep a list in this browser, in the place of the one before. */
export function keepList(text) {
  localStorage.setItem(KEPT, text);
}

/** Keep no list any more. */
export function forgetList() {
  localStorage.removeItem(KEPT);
}

/** Return the bytes of the list that the page's host publishes; throw where they do not come. */
export function hostsList() {
  return fetched(HOSTS);
}
