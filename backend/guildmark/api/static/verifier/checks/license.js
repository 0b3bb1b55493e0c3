// (6) The part has a granted unit, and all licenses allow site, machine, recipe, label and time.

import { same, toHex, toInteger, word } from "../bytes.js";
import { allows, rootLicense, termsOf, unknownIn } from "../documents/terms.js";
import { actFindings } from "../doubts.js";
import { lawful } from "../lawful.js";
import { LICENSE_MISSING, gifts, grantOf, idOf, unitOf } from "../licensing.js";
import { signedFindings } from "../publishing.js";
import { indexOf } from "../records.js";
import { DESIGN_OWNERS, FATES, LANES, LANE_HOLDERS, LICENSES, LICENSE_IDS, VOIDED, fieldsOf }
  from "../state.js";
import { MAX_AGE } from "../trust.js";
import { held, windowOf } from "../window.js";
import { Undecided, fail, proven, stated, unknown, withheld } from "./check.js";

const [BUILD, SCRAP] = [1, 2];
const IN_FORCE = {
  none: fail("verify.licenseNotInForce", "A license was not in force."),
  part: unknown("verify.licenseInForcePartly", "A license was in force a part of the time."),
};
const NOT_LICENSED = {
  site: fail("verify.siteNotLicensed", "A license names other sites."),
  machine: fail("verify.machineNotLicensed", "A license names other machines."),
  recipe: fail("verify.recipeNotLicensed", "A license names other recipes."),
  labelNamespace: fail("verify.labelNotLicensed", "A license names labels that begin otherwise."),
};
const WITHHELD = withheld("verify.termsWithheld", "A license does not show all that it says.");

function* granted(theCase) {
  const { entry, record, position } = theCase.evidence;
  yield* asSigned(entry.kind, stated(theCase).scrap);
  const grant = grantOf({ record, position });
  if (grant === null) {
    yield fail("verify.unitNotDrawn", "The entry lies behind all grants of the record.");
  } else if (grant.firstUnit === 0) {
    yield fail("verify.unitNotGranted", "The draw of the unit was granted nothing.");
  }
}

function* asSigned(kind, scrap) {
  if (kind === SCRAP && scrap !== null) {
    yield fail("verify.entryScrap", "This unit is scrap, not a part.");
  } else if (kind !== BUILD) {
    yield fail("verify.entryNotBuild", "The entry is not a build.");
  } else if (scrap !== null) {
    yield fail("verify.scrapAsPart", "The machine signed that this unit is scrap.");
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
  if (log !== theCase.evidence.record.log) {
    yield fail("verify.logMismatch", "The statement counts in another log.");
  }
  if (grant !== null && lane !== grant.lane) {
    yield fail("verify.laneMismatch", "The statement names another lane.");
  }
  if (unit !== null && named !== null && named !== unit) {
    yield fail("verify.unitMismatch", "The statement names another unit.");
  }
}

function* lane(theCase) {
  const unit = unitOf(theCase.evidence);
  if (unit === null) return;
  const [license, first, next, , log] = laneOf(theCase);
  if (license === 0) {
    yield fail("verify.laneUnknown", "The chain does not know the lane.");
    return;
  }
  if (log !== theCase.evidence.record.log) {
    yield fail("verify.laneLogMismatch", "The lane belongs to another log.");
  }
  if (unit < first || unit >= next) {
    yield fail("verify.unitOutsideLane", "The lane has not drawn this unit.");
  }
}

function* laneHolder(theCase) {
  const grant = grantOf(theCase.evidence);
  if (grant === null) return;
  const holder = word(proven(theCase, LANE_HOLDERS, grant.lane));
  if (!same(holder, stated(theCase).run.site)) {
    yield fail("verify.laneHolderMismatch", "The lane is not held by the machine's site.");
  }
}

function* chainOfLicenses(theCase) {
  const licenses = theCase.evidence.disclosed.licenses ?? [];
  if (grantOf(theCase.evidence) === null) return;
  let [number] = laneOf(theCase);
  for (const [at, one] of licenses.entries()) {
    if (number !== one.number) {
      yield fail("verify.licenseNumberMismatch", "Another license is shown than is needed.");
      return;
    }
    number = licenseOf(theCase, number).parent;
    yield* onChain(theCase, one, licenses[at + 1] ?? null, number === 0);
  }
  if (number !== 0 || licenses.length === 0) throw new Undecided(LICENSE_MISSING);
}

function* onChain(theCase, one, above, isRoot) {
  const found = proven(theCase, LICENSE_IDS, one.number);
  const isKept = proven(theCase, LICENSES, one.number) !== 0n;
  if (!isKept || found !== toInteger(idOf(theCase, one))) {
    yield fail("verify.licenseUnknown", "The chain has no such license with these terms.");
  }
  // The license above that is missing is said once, behind the last one that is shown.
  if (above === null && !isRoot) return;
  const parent = above === null ? new Uint8Array(32) : idOf(theCase, above);
  if (!same(one.terms.parent, parent)) {
    yield fail("verify.licenseParentMismatch", "A license was not given under the one above it.");
  }
}

function* licensor(theCase) {
  const root = rootLicense(theCase.evidence.disclosed);
  // A root that is not shown is a finding of the chain of licenses.
  if (root === null) return;
  if (proven(theCase, DESIGN_OWNERS, root.terms.design, root.terms.designEpoch) === 0n) {
    yield fail("verify.licensorUnknown", "Nobody owned the design when it was licensed.");
  }
}

function* givenSoundly(theCase) {
  for (const { giver, at } of gifts(theCase)) yield* actFindings(theCase, giver, at);
}

function* statedLicense(theCase) {
  const [lowest] = theCase.evidence.disclosed.licenses ?? [];
  if (lowest !== undefined && !same(stated(theCase).license, idOf(theCase, lowest))) {
    yield fail("verify.licenseMismatch", "The statement names another license.");
  }
}

function* goodMeanwhile(theCase) {
  for (const { number } of theCase.evidence.disclosed.licenses ?? []) {
    const { notBefore, ends } = licenseOf(theCase, number);
    const until = ends.length > 0 ? Math.min(...ends) : 0;
    yield* held([{ since: notBefore, until }], windowOf(theCase), IN_FORCE);
  }
}

async function* terms(theCase) {
  for (const one of theCase.evidence.disclosed.licenses ?? []) {
    const members = await termsOf(one);
    if (members === null) {
      yield fail("verify.termsInvalid", "A license commits to other terms than are shown.");
      continue;
    }
    if (unknownIn(members)) yield unknown("verify.termsUnknown", "Terms of no known kind.");
    const { run, recipe, label } = stated(theCase);
    const asked = { site: toHex(run.site), machine: toHex(run.machine), recipe: toHex(recipe),
      labelNamespace: label };
    for (const [kind, value] of Object.entries(asked)) {
      const found = allows(members, kind, value);
      if (found === "no") yield NOT_LICENSED[kind];
      if (found === "unknown") yield WITHHELD;
    }
  }
}

function* fresh({ question: { now }, header, trust }) {
  const age = trust?.policy?.maxAge ?? MAX_AGE;
  if (now && header !== null && header.time + BigInt(age) < BigInt(now)) {
    yield unknown("verify.evidenceStale", "The evidence is old; a later stop would not show.");
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
