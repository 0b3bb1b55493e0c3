// Lawful use: in which countries terms allow to build, and who is cleared for a control class.

import { same } from "./bytes.js";
import { fail, proven, stated, unknown, withheld } from "./checks/check.js";
import { CLEARANCE, claimId, isIssuerListed } from "./claims.js";
import { mayHide, namedIn, termsOf } from "./documents/terms.js";
import { actFindings } from "./doubts.js";
import { profileTimes } from "./naming.js";
import { CLAIMS } from "./state.js";
import { cover, intervalOf, windowOf } from "./window.js";
import { quoted } from "./words.js";

// ISO 3166-1 alpha-2, the 249 officially assigned codes.
const COUNTRIES = new Set(`
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
  BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
  EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
  GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
  KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
  MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
  QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
  TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM
  ZW
`.trim().split(/\s+/));

/** Yield what licenses do not allow of where the site was, or of who was cleared. */
export async function* lawful(theCase) {
  const cleared = await clearedFor(theCase);
  for (const one of theCase.evidence.disclosed.licenses ?? []) {
    const members = await termsOf(one);
    // Members that do not fit their root are a finding of the terms.
    if (members === null) continue;
    if (useIn(members, null) !== "allowed") yield* lawfulPlace(theCase, one, members);
    for (const named of namedIn(members, "controlClass").filter((each) => !cleared.has(each))) {
      yield unknown("verify.clearanceMissing",
        `Nobody on your list clears the site for control class ${quoted(named)}.`);
    }
    if (mayHide(members, "controlClass")) {
      yield withheld("verify.termsWithheld",
        `License ${one.number} does not show which control class it names.`);
    }
  }
}

/** Return whether terms, as far as they are shown, allow building in a country, null for unknown. */
export function useIn(members, country) {
  const [allowed, denied] = ["country", "countryDenied"].map((kind) => namedIn(members, kind));
  const [hidesAllowed, hidesDenied] = ["country", "countryDenied"]
    .map((kind) => mayHide(members, kind));
  const isNamed = allowed.length > 0 || denied.length > 0;
  const isAllowed = allowed.includes(country);
  if (!COUNTRIES.has(country) && isNamed) return "placeUnknown";
  const isOther = allowed.length > 0 && !isAllowed && !hidesAllowed;
  if (denied.includes(country) || isOther) return "denied";
  return hidesDenied || (hidesAllowed && !isAllowed) ? "withheld" : "allowed";
}

/** Yield what the terms do not allow of each place where the site said to be meanwhile. */
async function* lawfulPlace(theCase, license, members) {
  const { site } = stated(theCase).run;
  const window = windowOf(theCase);
  const shown = await profileTimes(theCase, site);
  const meanwhile = shown.filter(({ times }) => cover([times], window) !== "none");
  for (const country of new Set(meanwhile.map((one) => countryOf(one.members)))) {
    yield* lawfulUse(license, useIn(members, country), country);
  }
  for (const { times: { since } } of meanwhile) {
    yield* actFindings(theCase, site, since, "The site said where it is");
  }
  const isCovered = cover(shown.map(({ times }) => times), window) === "full";
  if (!isCovered) yield* lawfulUse(license, "placeUnknown", null);
}

function* lawfulUse({ number }, use, country) {
  if (use === "denied") {
    yield fail("verify.countryNotLicensed",
      `License ${number} does not allow building in ${country}.`);
  }
  if (use === "placeUnknown") {
    yield unknown("verify.countryUnknown",
      `License ${number} names countries; the site's is not proven.`);
  }
  if (use === "withheld") {
    yield withheld("verify.termsWithheld",
      `License ${number} does not show what it says of countries.`);
  }
}

function countryOf({ country }) {
  return typeof country === "string" ? country : null;
}

/** Return the control classes for which site or maker was cleared while the part was built. */
async function clearedFor(theCase) {
  const { site, maker } = stated(theCase).run;
  const found = new Set();
  for (const one of theCase.evidence.disclosed.claims ?? []) {
    const isMeant = [site, maker].some((party) => same(party, one.subject));
    if (one.claim.scheme !== CLEARANCE || !isMeant) continue;
    const interval = intervalOf(proven(theCase, CLAIMS, await claimId(one)));
    const isHeld = interval.since > 0 && cover([interval], windowOf(theCase)) === "full";
    // Without a list nobody is listed, which is said once for the whole verdict.
    const isCounted = () => (
      theCase.trust === null || isIssuerListed(theCase, one.issuer, interval.since));
    if (isHeld && isCounted()) found.add(one.claim.value);
  }
  return found;
}
