// (3) The entry is at that position of that record, about this part, and the first of it.

import { Malformed, same, word } from "../bytes.js";
import { isOfOperator, isOwn, isSameThing, parseLabel, parseLink } from "../documents/label.js";
import { indexOf, isInRecord } from "../records.js";
import { OPERATORS } from "../state.js";
import { SKIPPED, fail, proven, stated, unknown } from "./check.js";
import { firstUse } from "./rivals.js";

const LABEL_MISMATCH = fail("verify.labelMismatch", "The statement is about another label.");
const LINK_MISSING = unknown("verify.linkMissing", "The link to the organization is not shown.");
const UNSEARCHED = {
  source: "verify.labelSourceSilent", evidence: "verify.labelEntriesBeyond",
};

async function* path({ evidence }) {
  if (!(await isInRecord(evidence.entry, evidence.salt, evidence))) {
    yield fail("verify.pathInvalid", "The entry is not at this position of the record.");
  }
}

function* hint({ evidence: { record, position }, question }) {
  if (!question.hint) {
    yield SKIPPED;
    return;
  }
  // Numbers beyond 2^53 come as texts.
  const [log, index] = question.hint.map(BigInt);
  if (log !== BigInt(record.log) || index !== indexOf(record, position)) {
    yield fail("verify.hintMismatch", "The scanned code names another position.");
  }
}

function* label(theCase) {
  const { label: read, link: scanned } = theCase.question;
  const { label: named } = stated(theCase);
  if (read && read !== named) yield LABEL_MISMATCH;
  const link = linkOf(named);
  if (link === null) {
    yield fail("verify.labelNotCanonical", "The label is no link that labels may be.");
  } else if (scanned && !isSameThing(parseLink(scanned), link)) {
    yield LABEL_MISMATCH;
  }
}

function* labelOperator(theCase) {
  const link = linkOf(stated(theCase).label);
  if (link === null || !isOwn(link)) return;
  const operator = proven(theCase, OPERATORS, theCase.evidence.record.log);
  // A log that nobody opened is a finding of (1).
  if (operator !== 0n && !isOfOperator(link, word(operator))) {
    yield fail("verify.labelOfOtherOperator", "The label names an operator of another log.");
  }
}

function* subject(theCase) {
  const { entry, said } = theCase.evidence;
  if (said !== null && !said.isOfSubject) {
    yield fail("verify.subjectMismatch", "The subject is not the salted digest of its label.");
  } else if (!same(stated(theCase).subject, entry.subject)) {
    yield fail("verify.entrySubjectMismatch", "The entry is about another subject.");
  }
}

function* maker(theCase) {
  const { entry, disclosed: { makerLink: link } } = theCase.evidence;
  if (!same(stated(theCase).run.maker, entry.maker) || (link && !same(link.parent, entry.maker))) {
    yield fail("verify.makerMismatch", "Entry, statement and link name different makers.");
  } else if (link === null) {
    yield LINK_MISSING;
  }
}

function* dependencies(theCase) {
  if (!same(stated(theCase).dependencies, theCase.evidence.entry.dependencies)) {
    yield fail("verify.dependenciesMismatch", "The entry commits to other recall keys.");
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
