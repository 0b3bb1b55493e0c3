// A numbered check: rules over one case. What is not looked at is never ok.

const RANKS = ["fail", "unknown", "withheld", "not claimed", "ok"];

/** What a rule yields where a part of its check is not performed here. */
export const NOT_CHECKED = Symbol("not checked");

export const fail = (code, reason) => ({ state: "fail", code, reason });
export const unknown = (code, reason) => ({ state: "unknown", code, reason });

/** Return a check's result: its worst finding, "notChecked" where others could be worse. */
export async function run(check, theCase) {
  const findings = [];
  let isWhole = check.isWhole;
  for (const rule of check.rules) {
    for await (const found of rule(theCase)) {
      if (found === NOT_CHECKED) isWhole = false;
      else findings.push(found);
    }
  }
  findings.sort((one, other) => RANKS.indexOf(one.state) - RANKS.indexOf(other.state));
  const [worst] = findings;
  const result = { number: check.number, name: check.name, looksAt: check.looksAt };
  if (worst?.state === "fail" || (isWhole && worst !== undefined)) return { ...result, ...worst };
  return { ...result, state: isWhole ? "ok" : "notChecked", code: null, reason: "" };
}
