// Times as whoever reads them has them: how long ago while it passes, and the moment in the browser's own zone.

const UNITS = [[31_536_000, "year"], [2_592_000, "month"], [86_400, "day"], [3_600, "hour"], [60, "min"]];
const EVERY = 20_000; // milliseconds

const local = new Intl.DateTimeFormat("sv-SE", {
  ...{ year: "numeric", month: "2-digit", day: "2-digit" },
  ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "shortOffset" },
});

export function startTimes() {
  const ahead = document.body.dataset.now - Date.now(); // the server's clock, whose moments these are
  setInterval(() => {
    for (const time of document.querySelectorAll("time:not(.exact)"))
      time.textContent = ago((Date.now() + ahead - Date.parse(time.dateTime)) / 1000);
  }, EVERY);
  document.addEventListener("pointerover", (event) => {
    const time = event.target.closest?.("time");
    if (time) time.title = inZone(time);
  });
}

/** Exact times below `root` in the browser's zone; the server writes them in UTC. */
export function localise(root) {
  for (const time of root.querySelectorAll("time.exact")) time.textContent = inZone(time);
}

function inZone(time) {
  return local.format(Date.parse(time.dateTime)).replace("GMT", "UTC").replace("\u2212", "-").replace(/\+0$/, "");
}

// As `ago` in text.py.
function ago(seconds) {
  if (seconds < 0) return "in the future";
  for (const [size, unit] of UNITS) {
    const number = Math.floor(seconds / size);
    if (number) return `${number} ${unit}${number > 1 && unit !== "min" ? "s" : ""} ago`;
  }
  return seconds < 5 ? "just now" : `${Math.floor(seconds)} s ago`;
}
