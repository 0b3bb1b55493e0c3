// For browsers without a reader of codes: the one of the package qr.
// scripts/bundle_scripts.py makes decoder.js of this file.
export { decodeQRBatch } from "qr/decode.js";
