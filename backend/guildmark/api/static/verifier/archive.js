// The canonical archive: for one set of files exactly one zip (PKWARE APPNOTE 6.3.10, 4.3).

import { ascii, concat, same } from "./bytes.js";

const SIZE_MAX = 64 << 20;
const FILES_MAX = 4096;
const NAME_MAX = 200;
const LOCAL_SIZE = 30;
const LOCAL_MARK = 0x04034b50;
const CENTRAL_MARK = 0x02014b50;
const END_MARK = 0x06054b50;
const VERSION = 20;
const FIRST_DATE = (1 << 5) | 1;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

export class ArchiveError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Return the files of the canonical archive by name, in its order. */
export function read(data) {
  if (data.length > SIZE_MAX) {
    throw new ArchiveError("archive.tooLarge", `The archive has ${data.length} bytes.`);
  }
  const files = new Map();
  for (const [name, content] of localFiles(data)) {
    if (files.size === FILES_MAX) throw new ArchiveError("archive.tooLarge", "Too many files.");
    files.set(name, content);
  }
  if (!same(write(files), data)) refuse("it is not the one archive of its files");
  return files;
}

/** Return the one archive that holds some files. */
export function write(files) {
  const local = [];
  const central = [];
  let at = 0;
  for (const name of [...files.keys()].sort()) {
    const [encoded, data] = [ascii(name), files.get(name)];
    const shared = sharedFields(data, encoded);
    central.push(packed([[CENTRAL_MARK, 4], [VERSION, 2], [VERSION, 2], ...shared,
      [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]]), encoded);
    const head = packed([[LOCAL_MARK, 4], [VERSION, 2], ...shared]);
    local.push(head, encoded, data);
    at += head.length + encoded.length + data.length;
  }
  const directory = concat(...central);
  const count = files.size;
  const end = packed([[END_MARK, 4], [0, 2], [0, 2], [count, 2], [count, 2],
    [directory.length, 4], [at, 4], [0, 2]]);
  return concat(...local, directory, end);
}

function sharedFields(data, name) {
  return [[0, 2], [0, 2], [0, 2], [FIRST_DATE, 2], [crc32(data), 4],
    [data.length, 4], [data.length, 4], [name.length, 2], [0, 2]];
}

function* localFiles(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = 0;
  while (at + 4 <= data.length && view.getUint32(at, true) === LOCAL_MARK) {
    if (data.length < at + LOCAL_SIZE) refuse("it is cut short");
    const [size, nameSize] = [view.getUint32(at + 22, true), view.getUint16(at + 26, true)];
    const start = at + LOCAL_SIZE + nameSize;
    if (start + size > data.length) refuse("it is cut short");
    const name = new TextDecoder("latin1").decode(data.subarray(start - nameSize, start));
    if (name.length > NAME_MAX || !NAME.test(name)) {
      throw new ArchiveError("archive.nameInvalid", "A name in the archive is no plain path.");
    }
    at = start + size;
    yield [name, data.subarray(start, at)];
  }
}

function packed(fields) {
  const size = fields.reduce((sum, [, width]) => sum + width, 0);
  const view = new DataView(new ArrayBuffer(size));
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return new Uint8Array(view.buffer);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

function crc32(data) {
  let rest = 0xffffffff;
  for (const byte of data) rest = CRC_TABLE[(rest ^ byte) & 255] ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}

function refuse(reason) {
  throw new ArchiveError("archive.notCanonical", `The archive is not canonical: ${reason}.`);
}
