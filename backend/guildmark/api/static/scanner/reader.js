// Reads QR codes from what a camera or a file shows: by the browser's own reader where it has one,
// else by a bundled one, which is loaded when the first picture comes.

const FORMAT = "qr_code";
// A code that fills a tenth of a picture this wide still has several pixels a cell.
const EDGE = 2000;
const MOMENT = 250;

/** Return a reader: a function from a picture to the texts of its codes, each once. */
export async function reader() {
  const own = await ownDetector();
  if (own !== null) return async (picture) => texts((await own.detect(picture)).map(rawValue));
  const { decodeQRBatch } = await import("./decoder.js");
  return async (picture) => {
    const image = pixels(picture);
    const { width, height } = image;
    const options = { maxSize: { width, height }, timeLimit: MOMENT };
    const [found] = await decodeQRBatch([image], options);
    return texts(found.filter((each) => typeof each === "string"));
  };
}

/** Return a file as a picture that can be read, no larger than needed. */
export async function opened(file) {
  const whole = await createImageBitmap(file);
  const scale = Math.min(1, EDGE / Math.max(whole.width, whole.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(whole.width * scale));
  canvas.height = Math.max(1, Math.round(whole.height * scale));
  const context = canvas.getContext("2d");
  // What is transparent is paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  return canvas;
}

/** Return the browser's own reader, null where it has none for QR codes. */
async function ownDetector() {
  const kind = globalThis.BarcodeDetector;
  if (kind === undefined) return null;
  try {
    const formats = await kind.getSupportedFormats();
    return formats.includes(FORMAT) ? new kind({ formats: [FORMAT] }) : null;
  } catch {
    return null;
  }
}

function pixels(picture) {
  const width = picture.videoWidth ?? picture.width;
  const height = picture.videoHeight ?? picture.height;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, width, height);
}

const rawValue = (found) => found.rawValue;

const texts = (found) => [...new Set(found)];
