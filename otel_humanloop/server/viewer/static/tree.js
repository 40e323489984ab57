// A session's tree: folding, density, and rows that change while they are read.

import { reveal } from "./clicks.js";
import { row as currentRow } from "./cursor.js";
import { foldAll, hideFolded, mark } from "./folding.js";
import { fetchPage, inPlace } from "./pages.js";
import { drawZoom } from "./zoom.js";

let address; // of the session as it is shown: what the server folded, and whether it left rows out
const source = new WeakMap(); // how each row came from the server
const PARTS = [".session-head", ".ticks", ".lines"]; // what stands around the rows
const parts = new Map(); // how each of them came from the server

export function startTree() {
  const kept = [...new URL(location.href).searchParams].filter(([name]) => name === "all" || name === "fold");
  const query = kept.length ? `?${new URLSearchParams(kept)}` : "";
  address = `/sessions/${document.body.dataset.session}${query}`;
  remember();
  offer();
  document.addEventListener("click", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    const handle = event.target.closest(".fold");
    if (handle && plain) {
      event.preventDefault();
      fold(handle.closest(".row"), handle.getAttribute("aria-expanded") === "true");
      return;
    }
    const all = event.target.closest(".fold-all");
    if (all && plain) {
      event.preventDefault();
      const unfolding = all.textContent === "Unfold all";
      if (unfolding && address.includes("fold=")) location.assign(all.href); // the server left them out
      else foldAll(all);
      return;
    }
    if (event.target.closest(".density")) toggleDensity();
    const failed = event.target.closest(".only-failed");
    if (failed) {
      const on = document.querySelector(".tree").classList.toggle("only-errors");
      failed.setAttribute("aria-pressed", on);
      if (on) document.querySelector(".row.failed")?.scrollIntoView({ block: "center" });
    }
  });
  try {
    if (localStorage.getItem("density") === "compact") toggleDensity();
  } catch {
    // not remembered where storage is forbidden
  }
}

/** The address of the session as it is shown, without the log that may be open. */
export const sessionAddress = () => address;

/** Folds or unfolds what is below a row. A row without anything below it is left alone. */
export function fold(row, folded) {
  const handle = row?.querySelector(".fold");
  if (!handle) return false;
  const out = handle.getAttribute("aria-expanded") === "false" && address.includes(row.id); // the server left them out
  if (!folded && out) return void refreshTree(handle.href);
  mark(handle, folded);
  hideFolded();
}

export function toggleDensity() {
  const tree = document.querySelector(".tree");
  if (!tree) return false;
  const compact = tree.classList.toggle("compact");
  document.querySelector(".density").setAttribute("aria-pressed", compact);
  try {
    localStorage.setItem("density", compact ? "compact" : "cards");
  } catch {
    // not remembered where storage is forbidden
  }
}

// Only what there is to fold or to find.
function offer() {
  const tree = document.querySelector(".tree");
  if (!tree) return;
  document.querySelector(".fold-all").hidden = !tree.querySelector(".fold");
  document.querySelector(".only-failed").hidden = !tree.querySelector(".failed");
}

function remember() {
  for (const part of PARTS) parts.set(part, document.querySelector(part)?.outerHTML);
  for (const row of document.querySelectorAll(".tree > .row")) if (!source.has(row)) source.set(row, row.innerHTML);
}

/**
 * Brings the session up to date where it stands; gives the ids of rows that are other than they were.
 * `unfolded` is the address of the page with rows that the server had left out.
 */
export async function refreshTree(unfolded) {
  const page = await fetchPage(unfolded ?? address);
  const tree = document.querySelector(".tree");
  const fresh = page?.querySelector(".tree");
  if (!page) return [];
  if (!tree || !fresh) {
    if (fresh) location.reload();
    return [];
  }
  address = unfolded ?? address;
  const changed = [];
  inPlace([...tree.children], () => {
    for (const part of PARTS) {
      const now = page.querySelector(part);
      const text = now.outerHTML;
      reveal(now);
      if (parts.get(part) !== text) document.querySelector(part)?.replaceWith(document.adoptNode(now));
      parts.set(part, text);
    }
    const foldedBefore = new Set(
      [...tree.querySelectorAll('.fold[aria-expanded="false"]')].map((handle) => handle.closest(".row").id),
    );
    const stays = new Set([...fresh.querySelectorAll(".row")].map((row) => row.id));
    for (const row of [...tree.querySelectorAll(".row")]) if (!stays.has(row.id)) row.remove();
    let before = tree.querySelector(".row");
    for (const row of [...fresh.querySelectorAll(".row")]) {
      const here = document.getElementById(row.id);
      if (here !== null && here === before) before = nextRow(before);
      if (here === null) {
        changed.push(row.id);
        source.set(row, row.innerHTML);
        row.classList.add("new");
        tree.insertBefore(document.adoptNode(row), before);
        continue;
      }
      if (here.nextElementSibling !== before) tree.insertBefore(here, before);
      if (source.get(here) !== row.innerHTML) {
        changed.push(row.id);
        source.set(here, row.innerHTML);
        const state = ["at", "current"].filter((name) => here.classList.contains(name));
        here.className = row.className;
        here.classList.remove("current");
        here.classList.add(...state);
        for (const name of ["aria-level", "data-depth"]) here.setAttribute(name, row.getAttribute(name));
        here.replaceChildren(...[...row.childNodes].map((node) => document.adoptNode(node)));
        const handle = here.querySelector(".fold");
        if (handle && foldedBefore.has(here.id) && !unfolded) mark(handle, true);
      }
    }
    hideFolded();
    offer();
    drawZoom();
  });
  currentRow()?.classList.add("at");
  document.dispatchEvent(new CustomEvent("tree-changed", { detail: changed }));
  return changed;
}

function nextRow(row) {
  let next = row.nextElementSibling;
  while (next && !next.matches(".row")) next = next.nextElementSibling;
  return next;
}
