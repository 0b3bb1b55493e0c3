// The evidence bundle: manifest and sums must be those of the files, documents in RFC 8785 form.

import * as archive from "./archive.js";
import { ascii, same, sha256, toHex } from "./bytes.js";

const MANIFEST = "manifest.json";
const SUMS = "SHA256SUMS";
const VERSION = 1;
const NEEDED = ["chain/header.rlp", "chain/pin.json", "log/entry.json", "log/record.json",
  "statements/build.dsse.json"];
const MEDIA_TYPES = {
  car: "application/vnd.ipld.car",
  json: "application/json",
  note: "text/plain",
  pdf: "application/pdf",
  rlp: "application/octet-stream",
  zip: "application/zip",
};

export class BundleError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Return the files of a bundle, and its documents as they were parsed. */
export async function read(data) {
  const files = archive.read(data);
  await checkManifest(files);
  for (const name of NEEDED) {
    if (!files.has(name)) throw new BundleError("bundle.malformed", `The bundle has no ${name}.`);
  }
  const documents = new Map();
  for (const [name, content] of files) {
    if (/^(chain|disclosed|log)\/[a-z-]+\.json$/.test(name)) {
      documents.set(name, document(name, content));
    }
  }
  return { files, documents };
}

/** Return the RFC 8785 text of a value without fractions. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

function document(name, content) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content));
  } catch {
    throw new BundleError("bundle.malformed", `The file ${name} is no JSON.`);
  }
  if (!same(ascii(canonical(value)), content)) {
    throw new BundleError("bundle.mismatch", `The file ${name} is not in its canonical form.`);
  }
  return value;
}

async function checkManifest(files) {
  const names = [...files.keys()].filter((name) => name !== MANIFEST && name !== SUMS);
  const listed = [];
  const sums = [];
  for (const path of names) {
    const digest = toHex(await sha256(files.get(path)));
    listed.push({ path, digest, mediaType: mediaType(path) });
    sums.push([path, digest]);
  }
  const manifest = files.get(MANIFEST);
  const sumsFile = files.get(SUMS);
  if (manifest === undefined || sumsFile === undefined) {
    throw new BundleError("bundle.malformed", "The bundle has no manifest or no sums.");
  }
  if (!same(manifest, ascii(canonical({ version: VERSION, files: listed })))) {
    throw new BundleError("bundle.mismatch", "The manifest does not list the files as they are.");
  }
  sums.push([MANIFEST, toHex(await sha256(manifest))]);
  sums.sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = sums.map(([path, digest]) => `${digest.slice(2)}  ${path}\n`).join("");
  if (!same(sumsFile, ascii(lines))) {
    throw new BundleError("bundle.mismatch", "The sums are not those of the files.");
  }
}

function mediaType(path) {
  return MEDIA_TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
}
