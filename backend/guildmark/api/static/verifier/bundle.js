// The evidence bundle: manifest and sums must be those of the files.

import * as archive from "./archive.js";
import { ascii, same, sha256, toHex } from "./bytes.js";
import { canonical } from "./documents/json.js";

const MANIFEST = "manifest.json";
const SUMS = "SHA256SUMS";
const VERSION = 1;
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

/** Return the files of a bundle whose manifest and sums are those of its files. */
export async function readFiles(data) {
  const files = archive.read(data);
  await checkManifest(files);
  return files;
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
