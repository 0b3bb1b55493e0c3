// (10) What the recipe asks to be accredited for was accredited while the part was built.

import { toHex } from "../bytes.js";
import { accreditationId, accreditedOver } from "../accreditations.js";
import { actFindings } from "../doubts.js";
import { ACCREDITATIONS, fieldsOf } from "../state.js";
import { windowOf } from "../window.js";
import { Undecided, fail, notClaimed, proven, stated, unknown, withheld } from "./check.js";
import { masterClauses } from "./clauses.js";

const ASKING = "/qa/accreditation/";
const MEMBERS = ["", "standard", "process", "material"];
const FOUND = {
  lapsed: (reason) => fail("verify.accreditationLapsed", reason),
  unregistered: (reason) => fail("verify.accreditationUnregistered", reason),
  broken: (reason) => fail("verify.accreditationBroken", reason),
  outOfScope: (reason) => fail("verify.accreditationOutOfScope", reason),
  partly: (reason) => unknown("verify.accreditationPartly", reason),
  absent: (reason) => unknown("verify.accreditationMissing", reason),
  unlisted: (reason) => unknown("verify.accreditationUnlisted", reason),
};

async function* held(theCase) {
  const clauses = await masterClauses(theCase);
  const { requirements, unread } = asked(clauses.shown, toHex(stated(theCase).run.site));
  if (clauses.mayHide(ASKING)) {
    yield withheld("verify.accreditationsWithheld",
      "The recipe may ask for accreditations that are not shown.");
  } else if (requirements.length === 0 && unread.length === 0) {
    yield notClaimed("verify.accreditationsNotAsked", "The recipe asks for no accreditation.");
  }
  for (const path of unread) {
    yield unknown("verify.accreditationUnread",
      `The clause ${path} asks for an accreditation in an unknown form.`);
  }
  if (requirements.length > 0) yield* answered(theCase, requirements);
}

/** Yield what became of each requirement: what lacks, and notices on who gave what meets it.
 *
 * Where a chain of accreditations that nobody doubts holds, those that are doubted do no harm;
 * where only a doubted one does, it is as if nothing else lacked, and the doubt is what lacks.
 */
async function* answered(theCase, requirements) {
  const { run } = stated(theCase);
  const { given, unproven } = await provenAccreditations(theCase);
  const subjects = [toHex(run.maker), toHex(run.site)];
  for (const wanted of requirements) {
    const answerBy = (shown) => accreditedOver(subjects, wanted, windowOf(theCase),
      { shown, roots: issuerTimes(theCase) });
    const sound = answerBy(given.filter(({ doubts }) => doubts.length === 0));
    const answer = sound.standing === "held" ? sound : answerBy(given);
    if (answer.standing !== "held") {
      yield* unproven;
      yield FOUND[answer.standing](answer.reason);
    }
    yield* answer.links.flatMap(({ doubts }) => doubts);
  }
}

/** Return what clauses ask to be accredited for at a site, and the paths of those not understood. */
function asked(clauses, site) {
  const groups = new Map();
  for (const clause of clauses.filter(({ path }) => path.startsWith(ASKING))) {
    const [name, ...rest] = clause.path.slice(ASKING.length).split("/");
    groups.set(name, [...(groups.get(name) ?? []), [rest.join("/"), clause]]);
  }
  const [requirements, unread] = [[], []];
  for (const members of groups.values()) {
    const found = requirementOf(members);
    if (found === null) unread.push(...members.map(([, { path }]) => path));
    else requirements.push({ ...found, site });
  }
  return { requirements, unread };
}

function requirementOf(members) {
  const isKnown = members.every(([member, { class: klass, unit }]) => (
    MEMBERS.includes(member) && klass === "core" && unit === null
  ));
  const texts = new Map(members.map(([member, { value }]) => [member, value]));
  const standards = [texts.get(""), texts.get("standard")].filter(Boolean);
  if (!isKnown || standards.length !== 1) return null;
  const [process, material] = [texts.get("process") ?? "", texts.get("material") ?? ""];
  return { standard: standards[0], process, material };
}

/**
 * Return the shown accreditations as the chain has them, and what is not proven of others.
 *
 * Each is `given` with the notices that bear on who gave it, as findings.
 */
export async function provenAccreditations(theCase) {
  const [given, unproven] = [[], []];
  for (const one of theCase.evidence.disclosed.accreditations ?? []) {
    try {
      const packed = proven(theCase, ACCREDITATIONS, await accreditationId(one));
      const [since, until, revokedAt, recordedAt] = fieldsOf(packed, 40, 40, 40, 40);
      given.push({
        issuer: toHex(one.issuer), subject: toHex(one.subject), scope: one.scope,
        word: { since, until, revokedAt }, doubts: doubtsOf(theCase, one.issuer, recordedAt),
      });
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      unproven.push(error.finding);
    }
  }
  return { given, unproven };
}

/** Return a finding for each notice that bears on who gave an accreditation. */
function doubtsOf(theCase, issuer, at) {
  const found = [];
  try {
    for (const one of actFindings(theCase, issuer, at, "The accreditation was given")) {
      found.push(one);
    }
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    found.push(error.finding);
  }
  return found;
}

/** Return who tells when the reader accepts what rests on an identity. */
export function issuerTimes({ trust }) {
  return (identity) => (trust?.issuers ?? []).filter(({ id }) => id === identity)
    .map(({ from = 0, to = 0 }) => ({ since: from, until: to }));
}

export const ACCREDITATION = {
  number: 10,
  name: "accreditation",
  rules: [{ at: "the accreditations that the recipe asks for", rule: held }],
};
