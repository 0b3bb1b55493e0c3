// What is said of causes beside their states, by their codes: docs/verification.md lists them all.

/** The checks that exist so far. */
export const NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13];
/** Those that a policy asks for where it names none: no bundle can prove a second factor. */
export const REQUIRED = NUMBERS.filter((number) => number !== 13);
/** The checks by which an entry stands by itself; who asks for accreditations judges his own. */
export const SOUND = [1, 2, 3, 4, 5, 6, 7, 8];

/** Causes that a required check may have, since nothing asks for more. */
const EXEMPT = new Set(["verify.notSampled", "verify.tolerancesAbsent",
  "verify.equivalenceNotAsked", "verify.accreditationsNotAsked", "verify.secondFactorNotShown",
  "verify.secondFactorNone"]);

/** What is missing, where it is other than evidence. */
const LACKS = new Map([
  ["verify.trustMissing", "trust"],
  ["verify.claimUnlisted", "trust"],
  ["verify.nodeUnreachable", "source"],
  ["verify.labelSourceSilent", "source"],
  ["verify.notFinal", "finality"],
  ["verify.approvalUnlisted", "issuer"],
  ["verify.equivalenceUnlisted", "issuer"],
  ["verify.accreditationUnlisted", "issuer"],
]);

/** The check that, where it is "ok", stands for what is not shown. */
const COVERED_BY = new Map([["verify.settingClosed", 9], ["verify.measurementClosed", 9]]);

/** Return whether a check is not "ok" although it could be; what is left of it may say more. */
export function fallsShort({ findings }) {
  const isLeft = ({ isCovered }) => ![true, null].includes(isCovered);
  return findings.some((one) => !EXEMPT.has(one.code) && isLeft(one));
}

/**
 * Return results in which what is withheld is covered where another check stands for it.
 *
 * Whether it is covered is null where that check is not performed.
 */
export function covered(results) {
  const states = new Map(results.map(({ number, state }) => [number, state]));
  const isCovered = (code) => {
    if (!COVERED_BY.has(code)) return false;
    const state = states.get(COVERED_BY.get(code)) ?? "notChecked";
    return state === "notChecked" ? null : state === "ok";
  };
  return results.map((result) => ({
    ...result,
    findings: result.findings.map((one) => ({ ...one, isCovered: isCovered(one.code) })),
  }));
}

/** Return whether checks find no lack: "yes", "no", or "unknown" where one is not performed whole. */
export function isSound(results, numbers) {
  const asked = results.filter(({ number }) => numbers.includes(number));
  if (asked.some(fallsShort)) return "no";
  const whole = asked.filter(({ state, findings }) => (
    state !== "notChecked" && findings.every(({ isCovered }) => isCovered !== null)));
  return whole.length === numbers.length ? "yes" : "unknown";
}

/** Return what lacks where some checks could not be performed, each lack once. */
export function lacksOf(results) {
  const open = results.flatMap(({ findings }) => findings)
    .filter(({ state }) => ["unknown", "withheld"].includes(state));
  return new Set(open.map(({ code }) => LACKS.get(code) ?? "evidence"));
}

/** Return the tables, for whoever compares them with another verifier's. */
export function tables() {
  return { exempt: [...EXEMPT], lacks: Object.fromEntries(LACKS),
    coveredBy: Object.fromEntries(COVERED_BY) };
}
