// The part's page: what this browser checks by itself, beside what the server says.
//
// It is never green: the program came from the server. All that it writes is text; all that it asks
// for is on the page's own host, or at the node of the chain that the reader names.

import { fetched } from "./fetched.js";
import { forgetList, hostsList, keepList, ownList } from "./lists.js";

const NAMES = [
  "chain and block", "operator, site and machine", "machine's signature", "place in the log",
  "record on chain", "design revision", "license and unit", "recipe and settings", "tolerances",
  "equivalence", "accreditation", "custody", "recalls", "second factor",
];
const PLAIN_HTTP = "This browser cannot check by itself here: the page came over plain http. "
  + "Browsers give their cryptography only to pages from https or from this machine, and on the "
  + "way anybody could have changed the program that would check. Save the evidence and use "
  + "guildmark verify, or open the page over https.";
const PROGRAM = "The program that checks here. A server that lies could send another one; "
  + "guildmark verify on your own machine does not depend on it.";
const SAME = "No contradiction was found in what this browser checked. That is no verdict: it "
  + "performs only a part of the checks.";
// Nobody whom the reader believes says that the block is on the chain, nor that it is not.
const UNSEEN = ["verify.blockUnknown", "verify.nodeUnreachable", "verify.nodeOnOtherChain"];
const BOTH = "This browser finds a problem in the evidence, too.";
const AGAINST = "This browser finds a problem where the server says that there is none. "
  + "Do not rely on this page.";

const section = document.getElementById("own");
section.hidden = false;
if (globalThis.isSecureContext && globalThis.crypto?.subtle) void start();
else end(PLAIN_HTTP);

async function start() {
  say("This browser reads the evidence…");
  section.querySelector("form").hidden = false;
  try {
    const [{ verify }, reader, { look, ownNode }, bundle, hosts] = await Promise.all([
      import("./verifier.js"), import("./trust.js"), import("./own_node.js"),
      fetched(section.dataset.bundle), hostsList(),
    ]);
    const page = { verify, reader, look, bundle, hosts: await reader.readTrust(hosts),
      chosen: null, round: 0 };
    page.node = ownNode(async () => judge(page, await kept(reader)));
    listen(page);
    // Whoever keeps a list that cannot be read must be able to forget it.
    element("own-forget").hidden = ownList() === null;
    await judge(page, await kept(reader));
  } catch (error) {
    end(`This browser could not check: ${error.message}`);
  }
}

/** Check the evidence by the reader's own list, or by the host's where he keeps none. */
async function judge(page, own) {
  page.round += 1;
  const { verify, bundle, hosts, round } = page;
  const { host, part } = section.dataset;
  const asked = { hint: part.split("."), now: Math.floor(Date.now() / 1000),
    listName: own === null ? host : null };
  const judged = (trust, sighting = null) => verify(bundle, trust, { ...asked, sighting });
  const first = await judged(own ?? hosts);
  const seen = await page.look(page.node, own ?? hosts, first.block);
  const report = seen === null ? first : await judged(own ?? hosts, seen.sighting);
  // Meanwhile he asked for something else.
  if (round !== page.round) return;
  const isJudged = (await digest(bundle)) === section.dataset.digest;
  element("own-list").textContent = own === null
    ? `Judged by the list that ${host} publishes: the host's word on whom to trust, not yours.`
    : "Judged by your own list, which this browser keeps.";
  element("own-forget").hidden = own === null;
  show("own-done", done(report));
  show("own-taken", taken(report, own === null ? host : null, isJudged));
  show("own-left", left(report));
  element("own-report").hidden = false;
  const isProblem = report.verdict === "problem";
  section.classList.toggle("bad", isProblem);
  const isServers = section.dataset.verdict === "problem";
  const found = isServers ? BOTH : AGAINST;
  end(isProblem ? found : await verdict(report, judged, { own, hosts, host, seen }));
}

/** Return what this browser makes of evidence in which no check fails. */
async function verdict(report, judged, { own, hosts, host, seen }) {
  if (report.verdict === "notChecked") return SAME;
  const [chain] = report.checks;
  const { number, hash, time } = report.block ?? {};
  const isSeen = seen !== null && seen.sighting.hash === hash && chain.state === "ok";
  const asked = isSeen ? ` ${seen.host}, the node that you named, has the block.` : "";
  const who = own === null ? `Checked by this browser, by the list of ${host}.`
    : "Checked by you: in this browser, by your own list.";
  if (!UNSEEN.includes(chain.code)) return `${who}${asked} ${report.headline}`;
  const why = seen === null ? "" : `${seen.fault ?? chain.reason} `;
  // What would be said to who believes the server about the block, and about nothing else.
  const believed = { number: Number(number), hash, time: Number(time) };
  const given = await judged({ ...(own ?? hosts), blocks: [believed] });
  const unless = `If block ${number} is on the chain, which only the server says`;
  return `${why}${who} ${unless}: ${given.headline}`;
}

function done({ checks, fault }) {
  if (fault !== null) return [`The archive is wrong: ${fault.reason} (${fault.code})`];
  const archive = "The archive: each file as its manifest says, nothing beside it";
  return [archive, ...checks.flatMap(({ number, name, state, reason, code, lookedAt }) => {
    const title = `(${number}) ${name}`;
    if (state === "fail") return [`${title}: fails. ${reason} (${code})`];
    if (state === "ok") return [`${title}: holds`];
    return lookedAt.length === 0 ? [] : [`${title}, only in part: ${lookedAt.join("; ")}`];
  })];
}

function taken({ block, checks }, host, isJudged) {
  const lines = [];
  const isBelieved = checks.some(({ number, state }) => number === 0 && state === "ok");
  if (block !== null && !isBelieved) {
    const at = new Date(Number(block.time) * 1000).toISOString().replace(/\.000Z$/, "Z");
    lines.push(`That block ${block.number} of ${at}, ${block.hash}, is on the chain`);
  }
  if (host !== null) lines.push(`The trust list: it is that of ${host}`);
  if (!isJudged) {
    lines.push("That the verdict above is about this evidence: the server judged another bundle, "
      + "and more may have been shown to it since");
  }
  return [...lines, "What the page says besides: names, values, pictures, words", PROGRAM];
}

function left({ checks, notChecked }) {
  const open = checks.filter(({ state }) => !["ok", "fail", "notChecked"].includes(state));
  const said = open.map(({ number, name, reason }) => `(${number}) ${name}: ${reason}`);
  const parts = checks.filter(({ state, lookedAt }) => state === "notChecked" && lookedAt.length);
  const begun = parts.map(({ number }) => number);
  const rest = notChecked.map((number) => {
    const title = `(${number}) ${NAMES[number]}`;
    return begun.includes(number) ? `${title}: all else of it` : title;
  });
  return [...said, ...rest];
}

/** Let the reader choose a list, see it in words, and take it or not. */
function listen(page) {
  element("own-file").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (file !== undefined) await offer(page, new Uint8Array(await file.arrayBuffer()));
  });
  element("own-take").addEventListener("click", async () => {
    keepList(page.chosen);
    close(page);
    await judge(page, await kept(page.reader));
  });
  element("own-leave").addEventListener("click", () => close(page));
  element("own-forget").addEventListener("click", async () => {
    forgetList();
    await judge(page, null);
  });
}

async function offer(page, data) {
  const words = element("own-words");
  words.replaceChildren();
  element("own-offer").hidden = false;
  page.chosen = null;
  try {
    const trust = await page.reader.readTrust(data);
    for (const [name, said] of page.reader.inWords(trust)) {
      words.append(made("dt", name), made("dd", said));
    }
    page.chosen = JSON.stringify(trust);
    element("own-offered").textContent = "This is what the file says. Take it only if you would "
      + "have written it so.";
  } catch (error) {
    element("own-offered").textContent = `This file cannot be taken. ${error.message}`;
  }
  element("own-take").hidden = page.chosen === null;
}

function close(page) {
  page.chosen = null;
  element("own-file").value = "";
  element("own-offer").hidden = true;
}

/** Return the reader's own list, null where this browser keeps none that can be read. */
async function kept(reader) {
  const data = ownList();
  return data === null ? null : reader.readTrust(data);
}

async function digest(data) {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return `0x${Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function show(name, lines) {
  element(name).replaceChildren(...lines.map((line) => made("li", line)));
}

function made(tag, text) {
  const found = document.createElement(tag);
  found.textContent = text;
  return found;
}

function element(name) {
  return document.getElementById(name);
}

function say(text) {
  element("own-said").textContent = text;
}

function end(text) {
  say(text);
  section.dataset.state = "done";
}
