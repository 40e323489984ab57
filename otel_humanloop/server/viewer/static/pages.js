// Pages fetched to take parts of them; and what is said to whoever cannot see them change.

/** The page at an address, as a document. Goes there instead if it wants a sign-in. */
export async function fetchPage(address, options) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
    location.assign(answer.url);
    return null;
  }
  if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

let silence;

/** Says something in the page's status line, for a moment. */
export function say(text) {
  const status = document.querySelector(".says");
  status.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => (status.textContent = ""), 2500);
}

/** Changes the page and keeps what is being read where it is on the screen. */
export function inPlace(rows, change) {
  const anchor = rows.find((row) => row.getBoundingClientRect().bottom > 120);
  const before = anchor?.getBoundingClientRect().top;
  change();
  if (!anchor?.isConnected || window.scrollY === 0) return;
  const hold = () => window.scrollBy(0, anchor.getBoundingClientRect().top - before);
  hold();
  // what came in above is laid out in the next frames
  requestAnimationFrame(() => (hold(), requestAnimationFrame(hold)));
}
