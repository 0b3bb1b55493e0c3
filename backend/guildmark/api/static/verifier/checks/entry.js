// (3) The entry is at that position of that record, about this part, and the first of it.

import { Malformed, same, toHex, word } from "../bytes.js";
import { isOfOperator, isOwn, isSameThing, parseLabel, parseLink } from "../documents/label.js";
import { indexOf, isInRecord } from "../records.js";
import { OPERATORS } from "../state.js";
import { quoted } from "../words.js";
import { SKIPPED, fail, proven, stated, unknown } from "./check.js";
import { firstUse } from "./rivals.js";

const LINK_MISSING = unknown("verify.linkMissing", "The link from site to organization is not shown.");
const UNSEARCHED = {
  source: "verify.labelSourceSilent", evidence: "verify.labelEntriesBeyond",
};

async function* path({ evidence }) {
  const { position, record } = evidence;
  if (!(await isInRecord(evidence.entry, evidence.salt, evidence))) {
    yield fail("verify.pathInvalid", `The entry is not at position ${position} of `
      + `record ${record.seq} of log ${record.log}.`);
  }
}

function* hint({ evidence: { record, position }, question }) {
  if (!question.hint) {
    yield SKIPPED;
    return;
  }
  // Numbers beyond 2^53 come as texts.
  const [log, index] = question.hint.map(BigInt);
  const own = indexOf(record, position);
  if (log !== BigInt(record.log) || index !== own) {
    yield fail("verify.hintMismatch", `The bundle is about part ${record.log}.${own}, `
      + "the scanned code names another.");
  }
}

function* label(theCase) {
  const { label: read, link: scanned } = theCase.question;
  const { label: named } = stated(theCase);
  if (read && read !== named) yield mismatch(`${quoted(read)} was read`, named);
  const link = linkOf(named);
  if (link === null) {
    yield fail("verify.labelNotCanonical", `${quoted(named)} is no link that labels may be.`);
  } else if (scanned && !isSameThing(parseLink(scanned), link)) {
    yield mismatch(`${quoted(scanned)} was scanned`, named);
  }
}

function mismatch(what, named) {
  return fail("verify.labelMismatch", `${what}, the statement is about ${quoted(named)}.`);
}

function* labelOperator(theCase) {
  const link = linkOf(stated(theCase).label);
  if (link === null || !isOwn(link)) return;
  const { log } = theCase.evidence.record;
  const operator = proven(theCase, OPERATORS, log);
  // A log that nobody opened is a finding of (1).
  if (operator !== 0n && !isOfOperator(link, word(operator))) {
    yield fail("verify.labelOfOtherOperator",
      `The label names operator ${link.value}, who does not run log ${log}.`);
  }
}

function* subject(theCase) {
  const { entry, said } = theCase.evidence;
  if (said !== null && !said.isOfSubject) {
    yield fail("verify.subjectMismatch", "The subject's digest is not the salted digest of its label.");
  } else if (!same(stated(theCase).subject, entry.subject)) {
    yield fail("verify.entrySubjectMismatch",
      `The entry's subject ${toHex(entry.subject)} is not the statement's.`);
  }
}

function* maker(theCase) {
  const { entry, disclosed: { makerLink: link } } = theCase.evidence;
  if (!same(stated(theCase).run.maker, entry.maker)) {
    yield fail("verify.makerMismatch", "The entry names another maker than the statement.");
  } else if (link === null) {
    yield LINK_MISSING;
  } else if (!same(link.parent, entry.maker)) {
    yield fail("verify.makerMismatch", "The entry's maker is not the organization of the site.");
  }
}

function* dependencies(theCase) {
  if (!same(stated(theCase).dependencies, theCase.evidence.entry.dependencies)) {
    yield fail("verify.dependenciesMismatch",
      "The entry commits to other recall keys than the statement.");
  }
}

function* searched({ question }) {
  for (const { lack, reason } of question.unsearched ?? []) {
    if (lack) yield unknown(UNSEARCHED[lack], reason);
  }
}

function linkOf(text) {
  try {
    return parseLabel(text);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

export const ENTRY = {
  number: 3,
  name: "place in the log",
  rules: [
    { at: "the entry's leaf and path", rule: path },
    { at: "the position that was asked for", rule: hint },
    { at: "the label", rule: label },
    { at: "whose label it is", rule: labelOperator },
    { at: "the subject", rule: subject },
    { at: "the maker", rule: maker },
    { at: "the recall keys", rule: dependencies },
    { at: "other entries of the label that the bundle shows", rule: firstUse },
    { at: "where others were looked for", rule: searched },
  ],
};
