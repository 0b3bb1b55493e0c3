// (6) The part has a granted unit, and all licenses allow site, machine, recipe, label and time.

import { same, toHex, toInteger, word } from "../bytes.js";
import { allows, rootLicense, termsOf, unknownIn } from "../documents/terms.js";
import { actFindings } from "../doubts.js";
import { lawful } from "../lawful.js";
import { gifts, grantOf, idOf, licenseMissing, unitOf } from "../licensing.js";
import { signedFindings } from "../publishing.js";
import { indexOf } from "../records.js";
import { DESIGN_OWNERS, FATES, LANES, LANE_HOLDERS, LICENSES, LICENSE_IDS, VOIDED, fieldsOf }
  from "../state.js";
import { MAX_AGE } from "../trust.js";
import { covered, windowOf } from "../window.js";
import { quoted } from "../words.js";
import { Undecided, fail, proven, stated, unknown, withheld } from "./check.js";

const [BUILD, SCRAP] = [1, 2];
const KINDS = new Map([[SCRAP, "scrap"], [3, "correction"], [4, "receipt"], [5, "inspection"]]);
const DAY = 86_400n;
const IN_FORCE = {
  none: (reason) => fail("verify.licenseNotInForce", reason),
  part: (reason) => unknown("verify.licenseInForcePartly", reason),
};
const NOT_LICENSED = {
  site: "verify.siteNotLicensed",
  machine: "verify.machineNotLicensed",
  recipe: "verify.recipeNotLicensed",
  labelNamespace: "verify.labelNotLicensed",
};

function* granted(theCase) {
  const { entry, record, position } = theCase.evidence;
  yield* asSigned(entry.kind, stated(theCase).scrap);
  const grant = grantOf({ record, position });
  if (grant === null) {
    yield fail("verify.unitNotDrawn", `Position ${position} lies behind all grants of the record.`);
  } else if (grant.firstUnit === 0) {
    yield fail("verify.unitNotGranted",
      `The draw of ${grant.n} units from lane ${grant.lane} was granted nothing.`);
  }
}

function* asSigned(kind, scrap) {
  if (kind === SCRAP && scrap !== null) {
    yield fail("verify.entryScrap", `This unit is scrap, not a part: ${scrap}`);
  } else if (kind !== BUILD) {
    yield fail("verify.entryNotBuild", `The entry is a ${KINDS.get(kind)}, not a build.`);
  } else if (scrap !== null) {
    yield fail("verify.scrapAsPart", `The machine signed that this unit is scrap: ${scrap}`);
  }
}

function* notVoid(theCase) {
  const { record, position } = theCase.evidence;
  if (proven(theCase, FATES, record.log, indexOf(record, position)) === VOIDED) {
    yield fail("verify.unitVoided", "The holder of the lane declared the unit void.");
  }
}

function* statedPlace(theCase) {
  const { log, lane, unit: named } = stated(theCase);
  const [grant, unit] = [grantOf(theCase.evidence), unitOf(theCase.evidence)];
  const { record } = theCase.evidence;
  if (log !== record.log) {
    yield fail("verify.logMismatch",
      `The statement counts in log ${log}, the record is of log ${record.log}.`);
  }
  if (grant !== null && lane !== grant.lane) {
    yield fail("verify.laneMismatch",
      `The statement names lane ${lane}, the grant is of lane ${grant.lane}.`);
  }
  if (unit !== null && named !== null && named !== unit) {
    yield fail("verify.unitMismatch",
      `The statement names unit ${named}, the position has unit ${unit}.`);
  }
}

function* lane(theCase) {
  const unit = unitOf(theCase.evidence);
  if (unit === null) return;
  const { lane: number } = grantOf(theCase.evidence);
  const [license, first, next, , log] = laneOf(theCase);
  if (license === 0) {
    yield fail("verify.laneUnknown", `The chain knows no lane ${number}.`);
    return;
  }
  if (log !== theCase.evidence.record.log) {
    yield fail("verify.laneLogMismatch", `Lane ${number} belongs to log ${log}.`);
  }
  if (unit < first || unit >= next) {
    yield fail("verify.unitOutsideLane",
      `Lane ${number} has drawn ${first} to ${next - 1}, not ${unit}.`);
  }
}

function* laneHolder(theCase) {
  const grant = grantOf(theCase.evidence);
  if (grant === null) return;
  const holder = word(proven(theCase, LANE_HOLDERS, grant.lane));
  if (!same(holder, stated(theCase).run.site)) {
    yield fail("verify.laneHolderMismatch",
      `Lane ${grant.lane} is held by ${toHex(holder)}, not by the machine's site.`);
  }
}

function* chainOfLicenses(theCase) {
  const licenses = theCase.evidence.disclosed.licenses ?? [];
  if (grantOf(theCase.evidence) === null) return;
  let [number] = laneOf(theCase);
  for (const [at, one] of licenses.entries()) {
    if (number !== one.number) {
      yield fail("verify.licenseNumberMismatch",
        `License ${one.number} is shown where number ${number} is needed.`);
      return;
    }
    number = licenseOf(theCase, number).parent;
    yield* onChain(theCase, one, licenses[at + 1] ?? null, number === 0);
  }
  if (number !== 0 || licenses.length === 0) {
    throw new Undecided(licenseMissing(`License ${number} is not shown.`));
  }
}

function* onChain(theCase, one, above, isRoot) {
  const found = proven(theCase, LICENSE_IDS, one.number);
  const isKept = proven(theCase, LICENSES, one.number) !== 0n;
  if (!isKept || found !== toInteger(idOf(theCase, one))) {
    yield fail("verify.licenseUnknown",
      `The chain has no license ${one.number} with these terms.`);
  }
  // The license above that is missing is said once, behind the last one that is shown.
  if (above === null && !isRoot) return;
  const parent = above === null ? new Uint8Array(32) : idOf(theCase, above);
  if (!same(one.terms.parent, parent)) {
    yield fail("verify.licenseParentMismatch",
      `License ${one.number} was not given under the one that is shown above it.`);
  }
}

function* licensor(theCase) {
  const root = rootLicense(theCase.evidence.disclosed);
  // A root that is not shown is a finding of the chain of licenses.
  if (root === null) return;
  const { design, designEpoch: epoch } = root.terms;
  if (proven(theCase, DESIGN_OWNERS, design, epoch) === 0n) {
    yield fail("verify.licensorUnknown",
      `License ${root.number} is of epoch ${epoch} of the design, which nobody owned.`);
  }
}

function* givenSoundly(theCase) {
  for (const { giver, at, act } of gifts(theCase)) yield* actFindings(theCase, giver, at, act);
}

function* statedLicense(theCase) {
  const [lowest] = theCase.evidence.disclosed.licenses ?? [];
  if (lowest !== undefined && !same(stated(theCase).license, idOf(theCase, lowest))) {
    yield fail("verify.licenseMismatch",
      `The statement names another license than number ${lowest.number}.`);
  }
}

function* goodMeanwhile(theCase) {
  for (const { number } of theCase.evidence.disclosed.licenses ?? []) {
    const { notBefore, ends } = licenseOf(theCase, number);
    const until = ends.length > 0 ? Math.min(...ends) : 0;
    const interval = { since: notBefore, until };
    yield* covered(`License ${number}`, [interval], windowOf(theCase), IN_FORCE);
  }
}

async function* terms(theCase) {
  for (const one of theCase.evidence.disclosed.licenses ?? []) {
    const members = await termsOf(one);
    if (members === null) {
      yield fail("verify.termsInvalid",
        `License ${one.number} commits to other terms than are shown.`);
      continue;
    }
    for (const path of unknownIn(members)) {
      yield unknown("verify.termsUnknown",
        `License ${one.number} has terms at ${path}, which are of no known kind.`);
    }
    const { run, recipe, label } = stated(theCase);
    const asked = { site: toHex(run.site), machine: toHex(run.machine), recipe: toHex(recipe),
      labelNamespace: label };
    for (const [kind, value] of Object.entries(asked)) {
      const found = allows(members, kind, value);
      if (found === "no") {
        yield fail(NOT_LICENSED[kind],
          `License ${one.number} does not allow ${kind} ${quoted(value)}.`);
      }
      if (found === "unknown") {
        yield withheld("verify.termsWithheld",
          `License ${one.number} does not show what it says of ${kind}.`);
      }
    }
  }
}

function* fresh({ question: { now }, header, trust }) {
  const age = trust?.policy?.maxAge ?? MAX_AGE;
  if (now && header !== null && header.time + BigInt(age) < BigInt(now)) {
    const days = (BigInt(now) - header.time) / DAY;
    yield unknown("verify.evidenceStale",
      `Block ${header.number} is ${days} days old; a later stop would not show.`);
  }
}

/** Return the fields of the grant's lane: license, first, next, end, log. */
function laneOf(theCase) {
  const { lane: number } = grantOf(theCase.evidence);
  return fieldsOf(proven(theCase, LANES, number), 40, 40, 40, 40, 40);
}

function licenseOf(theCase, number) {
  const packed = proven(theCase, LICENSES, number);
  const [, notBefore, notAfter, stopAt, , parent] = fieldsOf(packed, 40, 40, 40, 40, 40, 40);
  return { notBefore, ends: [notAfter, stopAt].filter((end) => end !== 0), parent };
}

export const LICENSE = {
  number: 6,
  name: "license and unit",
  rules: [
    { at: "the unit's grant", rule: granted },
    { at: "whether the unit was voided", rule: notVoid },
    { at: "the place that the statement names", rule: statedPlace },
    { at: "the lane", rule: lane },
    { at: "the lane's holder", rule: laneHolder },
    { at: "each license on chain, up to the root", rule: chainOfLicenses },
    { at: "the design's owner", rule: licensor },
    { at: "notices on who signed for the unit", rule: signedFindings },
    { at: "notices on who gave the unit on", rule: givenSoundly },
    { at: "the license that the statement names", rule: statedLicense },
    { at: "that each license was in force", rule: goodMeanwhile },
    { at: "site, machine, recipe and label", rule: terms },
    { at: "country and clearance", rule: lawful },
    { at: "the age of the evidence", rule: fresh },
  ],
};
