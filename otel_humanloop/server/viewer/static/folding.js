// What is folded, of the rows that are here.

const AT_ONCE = 250; // rows shown in one frame: more than fit on a screen

let showing = 0; // the frame in which more rows are shown

const depthOf = (row) => Number(row.getAttribute("data-depth"));

/** Has a row's handle say that what is below it is folded, or not. */
export function mark(handle, folded) {
  if ((handle.getAttribute("aria-expanded") === "false") === folded) return;
  handle.setAttribute("aria-expanded", String(!folded));
  handle.setAttribute("aria-label", handle.getAttribute("aria-label").replace(/^\w+/, folded ? "Unfold" : "Fold"));
}

/** Folds every row that has others below it, or unfolds them, as the button says. */
export function foldAll(button) {
  const folding = button.textContent === "Fold all";
  for (const handle of document.querySelectorAll(".tree .fold")) mark(handle, folding);
  hideFolded();
  button.textContent = folding ? "Unfold all" : "Fold all";
}

/** Hides what is below folded rows, and shows all else, from the top. */
export function hideFolded() {
  cancelAnimationFrame(showing);
  const folded = new Set();
  for (const handle of document.querySelectorAll('.tree .fold[aria-expanded="false"]')) folded.add(handle.closest(".row"));
  const appearing = [];
  let below = Infinity;
  for (const row of document.querySelectorAll(".tree > .row")) {
    const depth = depthOf(row);
    if (depth > below) {
      row.hidden = true;
      continue;
    }
    below = folded.has(row) ? depth : Infinity;
    if (row.hidden) appearing.push(row);
  }
  show(appearing, 0);
}

// Thousands of rows take longer to lay out than a frame lasts; those one sees come first.
function show(rows, from) {
  const to = from + AT_ONCE;
  for (const row of rows.slice(from, to)) row.hidden = false;
  if (to < rows.length) showing = requestAnimationFrame(() => show(rows, to));
}
