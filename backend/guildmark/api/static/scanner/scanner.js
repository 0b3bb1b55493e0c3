// The page on which a part is checked: its camera, and photos that need not leave the telephone.
//
// What a code says is never opened: it goes to this node, which says what it names. A proof code
// does not: this browser says what it proves. All that is written is text.

const PROOF = "GM1:";
const SIZE_MAX = 16 << 20;
const PAUSE = 120;
const PATIENCE = 20_000;
const CAMERA = { video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } } };

const PLAIN_HTTP = "The camera cannot start here: this page came over plain http, and browsers "
  + "give the camera only to pages from https or from this machine. Open the page over https, use "
  + "your telephone's camera app, choose a photo, or type what stands below the code.";
const NO_ACCESS = "The camera cannot start: this browser gives no page a camera. Use your "
  + "telephone's camera app, choose a photo, or type what stands below the code.";
const WHY = {
  NotAllowedError: "The camera did not start: this page may not use it. Allow the camera for this "
    + "site in the browser's settings and start again, or type what stands below the code.",
  NotFoundError: "The camera cannot start: this device has none. Choose a photo, or type what "
    + "stands below the code.",
  NotReadableError: "The camera did not start: another program is using it. Close that program and "
    + "start again.",
};
const SEVERAL = "Several codes are in the picture: show one, each part has its own.";
const SLOW = "No code is seen yet. Hold it flat and steady, in even light, so that it fills half "
  + "of the picture.";
const LOOKING = "Looking for a code…";
const NONE = "This browser found no code in the photo. Press the button again and this node looks "
  + "at it; or type what stands below the code.";

const section = element("scan");
const video = element("scan-video");
let running = null;

section.hidden = false;
element("photo").hidden = false;
if (!globalThis.isSecureContext) refuse(PLAIN_HTTP);
else if (navigator.mediaDevices?.getUserMedia === undefined) refuse(NO_ACCESS);
else element("scan-start").hidden = false;
element("scan-start").addEventListener("click", () => void start());
element("scan-stop").addEventListener("click", () => stop("The camera is off."));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop("The camera is off.");
});
element("typed-form").addEventListener("submit", (event) => {
  const text = element("typed-text").value;
  if (!isProof(text)) return;
  event.preventDefault();
  void lead(text);
});
element("photo-form").addEventListener("submit", (event) => {
  const [file] = element("photo-file").files;
  // A photo in which this browser found nothing goes to the node when it is asked for again.
  if (file === undefined || element("photo-form").dataset.looked === named(file)) return;
  event.preventDefault();
  void look(file);
});

async function start() {
  element("scan-start").hidden = true;
  say("Starting the camera…");
  try {
    // Asked first, so that the browser's question follows the press of the button.
    const stream = await navigator.mediaDevices.getUserMedia(CAMERA);
    running = { stream, began: performance.now() };
    video.srcObject = stream;
    await video.play();
    video.hidden = false;
    element("scan-stop").hidden = false;
    say(LOOKING);
    const { reader } = await import("./reader.js");
    await watch(await reader());
  } catch (error) {
    stop(WHY[error.name] ?? `The camera did not start: ${error.message}`);
  }
}

/** Look at the camera's pictures until one has one code, or until it is stopped. */
async function watch(read) {
  while (running !== null) {
    const found = video.readyState < 2 ? [] : await read(video);
    if (running === null) return;
    if (found.length === 1) {
      stop("A code was read.");
      await lead(found[0]);
      return;
    }
    if (found.length > 1) say(SEVERAL);
    else say(performance.now() - running.began > PATIENCE ? SLOW : LOOKING);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function stop(text) {
  if (running !== null) for (const track of running.stream.getTracks()) track.stop();
  running = null;
  video.srcObject = null;
  video.hidden = true;
  element("scan-stop").hidden = true;
  element("scan-start").hidden = false;
  say(text);
}

/** Look for a code in a photo here, so that it need not be sent. */
async function look(file) {
  tell("Looking at the photo…");
  const found = await codes(file);
  if (found.length === 1) {
    tell("A code was read.");
    await lead(found[0]);
    return;
  }
  if (found.length > 1) {
    tell(SEVERAL);
    return;
  }
  element("photo-form").dataset.looked = named(file);
  tell(section.dataset.reads === "yes" ? NONE : "This browser found no code in the photo, and this "
    + "node reads none. Type what stands below the code.");
}

async function codes(file) {
  if (file.size > SIZE_MAX) return [];
  try {
    const { opened, reader } = await import("./reader.js");
    const read = await reader();
    return await read(await opened(file));
  } catch {
    // What the browser cannot open, the node refuses in words.
    return [];
  }
}

/** Show what a proof code proves; with any other text go where this node says. */
async function lead(text) {
  if (isProof(text) && (await shown(text))) return;
  location.assign(`/verify?q=${encodeURIComponent(text)}`);
}

async function shown(text) {
  try {
    const { show } = await import("../verifier/proof_page.js");
    await show(text);
    return true;
  } catch {
    // Where the program does not come, the node looks at the code.
    return false;
  }
}

/** Return whether this browser reads a text itself: its cryptography is for pages from https. */
function isProof(text) {
  return text.startsWith(PROOF) && globalThis.isSecureContext;
}

function refuse(text) {
  section.dataset.state = "refused";
  say(text);
}

function named(file) {
  return `${file.name}/${file.size}/${file.lastModified}`;
}

function say(text) {
  const place = element("scan-said");
  // Said again, a screen reader would repeat it.
  if (place.textContent !== text) place.textContent = text;
}

function tell(text) {
  element("photo-said").textContent = text;
}

function element(name) {
  return document.getElementById(name);
}
