// The sentence that people read first.

import { DESIGN_OWNER, MAKER, OPERATOR } from "./listed.js";

const SIGNERS = { machine: "the machine", gateway: "a gateway", technician: "a technician" };
const UNLISTED = {
  [OPERATOR]: "the operator of the log",
  [MAKER]: "the maker's issuer",
  [DESIGN_OWNER]: "the design owner's issuer",
};
const VOUCHED_FOR = { [MAKER]: "the maker", [DESIGN_OWNER]: "the design owner" };
const SCRAP = ["verify.entryScrap", "verify.scrapAsPart"];
const REPLACED = "verify.partReplaced";
const RECALLED = "verify.recalled";
const EQUIVALENCE = 9;
const YEAR_10000 = 253_402_300_800n;

/** Return the headline of a verdict, empty where checks are left. */
export function headline(theCase, { verdict, decisive }, all) {
  if (verdict === "notChecked") return "";
  if (decisive !== null && verdict !== "untrusted") {
    return `${verdict === "problem" ? "Problem found" : "Could not check"}: ${what(decisive)}.`;
  }
  return verdict === "verified" ? `${verified(theCase)}.` : untrusted(theCase, all, decisive);
}

/** Return block seconds as people read them: ISO 8601, UTC. */
export function asTime(seconds) {
  if (seconds >= YEAR_10000) return `second ${seconds}`;
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}

/** Return what stands in the way: the check's name, who recalls, what replaces the part. */
function what({ code, name, reason }) {
  if (code === REPLACED) return reason.replace(/\.$/, "").replace(/^Part /, "");
  if (code === RECALLED) return `r${reason.split("; ", 1)[0].slice(1)}`;
  return SCRAP.includes(code) ? "this unit is scrap, not a part" : name;
}

function verified({ evidence, trust, header, question }) {
  const pin = trust === null ? evidence.pin : trust.chain;
  const lead = pin.class === "local" ? "Verified on this node's own chain" : "Verified";
  const time = header === null ? "" : ` as of ${asTime(header.time)}`;
  const signer = evidence.said?.isOfSubject ? `, signed by ${SIGNERS[evidence.said.signerRole]}` : "";
  return `${lead}${time}${signer}${question.listName ? `, by the list of ${question.listName}` : ""}`;
}

function untrusted(theCase, all, decisive) {
  if (theCase.trust === null) return "Consistent, but you have not said whom you trust.";
  const unlisted = all.find(({ isListed }) => !isListed);
  if (unlisted !== undefined && isUnclaimed(unlisted)) {
    return `${verified(theCase)}, but no claim about ${VOUCHED_FOR[unlisted.role]} was shown.`;
  }
  const who = unlisted === undefined ? lastUnlisted(decisive) : UNLISTED[unlisted.role];
  return `${verified(theCase)}, but ${who} is not on your trust list.`;
}

/** Return whether the evidence holds no valid claim about somebody who needs one. */
function isUnclaimed({ role, id, claims }) {
  return role in VOUCHED_FOR && id !== "" && claims.length === 0;
}

function lastUnlisted(decisive) {
  if (decisive === null) return "the issuer of the label's GS1 prefix";
  return decisive.number === EQUIVALENCE ? "the evaluator of the site's equivalence"
    : "the last issuer of an accreditation";
}
