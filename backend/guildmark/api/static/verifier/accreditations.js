// Accreditations: scopes, chains of issuers up to a reader's list, and what held when.
//
// An issuer accredits a subject for a scope. Who may accredit others in turn is said by the scope of
// his own accreditation; the last issuer of a chain must be on the reader's list.

import { ascii, concat, sha256, toHex } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { canonical } from "./documents/json.js";
import { cover } from "./window.js";

const DOMAIN = keccak256(ascii("guildmark/accreditation/v1"));
const SCOPE_TAG = ascii("guildmark/scope/v1");
const FOREVER = 2 ** 40;
// What can be wrong with a way, and which of several is told.
const DEFECTS = ["unregistered", "broken", "outOfScope"];

/** Return the id under which the chain keeps an accreditation. */
export async function accreditationId({ issuer, subject, scope }) {
  return keccak256(concat(DOMAIN, issuer, subject, await digestOf(scope)));
}

async function digestOf({ salt, standard, processes, materials, sites, certificate, delegations }) {
  const members = { processes, materials, sites: sites.map(toHex) };
  const said = Object.entries(members).filter(([, listed]) => listed.length > 0);
  if (certificate !== "") said.push(["certificate", certificate]);
  if (delegations !== 0) said.push(["delegations", delegations]);
  const text = canonical({ standard, ...Object.fromEntries(said) });
  return sha256(concat(SCOPE_TAG, salt, ascii(text)));
}

/**
 * Return whether one of several identities was accredited over a window, and why.
 *
 * @param {string[]} subjects Who may hold it.
 * @param {object} wanted What for: standard, process, material, site; empty where any will do.
 * @param {object} window The seconds that count, both ends included.
 * @param {object} known What is `shown`, {issuer, subject, scope, word} with ids as hex; `roots`
 *   tells when the reader accepts an identity.
 */
export function accreditedOver(subjects, wanted, window, { shown, roots }) {
  const ways = subjects.flatMap((one) => [...waysUp(one, [], wanted, { shown, roots })]);
  const listed = ways.filter(({ standing }) => standing === "held");
  if (listed.length > 0) return judged(listed, wanted, window);
  const open = ways.filter(({ standing }) => standing === "unlisted");
  const defects = DEFECTS.map((defect) => ways.find(({ standing }) => standing === defect));
  const told = [open.find(({ held }) => cover(held, window) !== "none"), ...defects].find(Boolean);
  if (told !== undefined) return told;
  if (open.length > 0) return lapsed(open[0], wanted, window);
  return answer("absent", `No accreditation for ${named(wanted)} is shown.`, []);
}

const answer = (standing, reason, links) => ({ standing, reason, links });

function judged(listed, wanted, window) {
  const found = cover(listed.flatMap(({ held }) => held), window);
  if (found === "none") return lapsed(listed[0], wanted, window);
  const { links } = listed.find(({ held }) => cover(held, window) === found) ?? listed[0];
  if (found === "full") return answer("held", "", links);
  const lapse = lapseOf(links, window) || "The last issuer was on the list for a part of the time.";
  const said = `The accreditation for ${named(wanted)} held a part of the time only.`;
  return answer("partly", `${said} ${lapse}`, links);
}

function lapsed({ links }, wanted, window) {
  const lapse = lapseOf(links, window) || "Its links, or the list, never held at the same time.";
  return answer("lapsed", `The accreditation for ${named(wanted)} did not hold. ${lapse}`, links);
}

/** Return what is wrong with the first link that did not hold all the time, if one did not. */
function lapseOf(links, { begin, end }) {
  for (const { subject, issuer, word: { since, until, revokedAt } } of links) {
    const of = `of ${subject} by ${issuer}`;
    if (since > begin) return `That ${of} began at ${since}.`;
    if (revokedAt !== 0 && revokedAt <= end) return `That ${of} was revoked at ${revokedAt}.`;
    if (until !== 0 && until <= end) return `That ${of} ended at ${until}.`;
  }
  return "";
}

/** Yield the ways up from an identity: to listed issuers, and to where each other one ends. */
function* waysUp(subject, below, wanted, known) {
  const listed = below.length > 0 ? known.roots(subject) : [];
  if (listed.length > 0) {
    yield { ...answer("held", "", below), held: listed.map((root) => common(below, root)) };
  }
  const upward = known.shown.filter((link) => link.subject === subject);
  for (const link of upward) {
    const defect = defectOf(link, below, wanted);
    if (defect === null) yield* waysUp(link.issuer, [...below, link], wanted, known);
    else yield answer(...defect, [...below, link]);
  }
  if (below.length > 0 && upward.length === 0 && listed.length === 0) {
    const reason = `The accreditation for ${named(wanted)} rests on ${subject}, which is not on `
      + "the reader's list.";
    yield { ...answer("unlisted", reason, below), held: [common(below, { since: 0, until: 0 })] };
  }
}

/** Return why an accreditation cannot stand above others, null where it can. */
function defectOf(link, below, wanted) {
  const said = `The accreditation of ${link.subject} by ${link.issuer}`;
  if (link.word.since === 0) return ["unregistered", `${said} is not on chain.`];
  if (!scopeAdmits(link.scope, wanted)) {
    return ["outOfScope", `${said} does not cover ${named(wanted)}.`];
  }
  if (below.length > 0 && !contains(link.scope, below.at(-1).scope)) {
    return ["broken", `${said} is narrower than the one that rests on it.`];
  }
  const { delegations } = link.scope;
  if (delegations < below.length) {
    return ["broken", `${said} allows ${delegations} accreditations below it, not more.`];
  }
  const isCircle = [...below, link].some(({ subject }) => subject === link.issuer);
  return isCircle ? ["broken", `${said} closes a circle.`] : null;
}

function scopeAdmits(scope, { standard, process, material, site }) {
  const asked = [process, material, site];
  return scope.standard === standard
    && limitsOf(scope).every((limit, at) => !limit.length || !asked[at] || limit.includes(asked[at]));
}

/** Return whether who holds a scope may give the narrower one to others. */
function contains(scope, narrower) {
  const theirs = limitsOf(narrower);
  return scope.standard === narrower.standard && limitsOf(scope).every((ours, at) => (
    ours.length === 0 || (theirs[at].length > 0 && theirs[at].every((one) => ours.includes(one)))
  ));
}

function limitsOf({ processes, materials, sites }) {
  return [processes, materials, sites.map(toHex)];
}

/** Return when all links held and the reader accepted the last issuer. */
function common(links, root) {
  const intervals = [root, ...links.map(({ word }) => intervalOf(word))];
  const until = Math.min(...intervals.map((one) => one.until || FOREVER));
  return { since: Math.max(...intervals.map(({ since }) => since)), until: until % FOREVER };
}

function intervalOf({ since, until, revokedAt }) {
  const ends = [until, revokedAt].filter((end) => end !== 0);
  return { since, until: ends.length > 0 ? Math.min(...ends) : 0 };
}

function named({ standard, process, material }) {
  return [standard, process, material].filter(Boolean).join(", ");
}
