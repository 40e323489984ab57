// The row that keys act on.

let current = null;

/** The rows that can be gone through, as they stand now. */
export function rows() {
  return [...document.querySelectorAll(".row, [data-row]")].filter((row) => !row.hidden);
}

/** The row that keys act on; null before one was chosen. */
export function row() {
  return current?.isConnected ? current : null;
}

/** Makes a row the one that keys act on, and brings it into view. */
export function goTo(next) {
  if (!next) return;
  row()?.classList.remove("at");
  current = next;
  next.classList.add("at");
  next.querySelector(".open, .id a")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/** Moves by some rows, down or (negative) up. */
export function move(step) {
  const all = rows();
  const at = row() ? all.indexOf(row()) : -1;
  goTo(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]);
}
