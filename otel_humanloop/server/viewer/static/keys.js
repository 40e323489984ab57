// Keys, wherever one is not typing.

import { changeTheme } from "./clicks.js";
import { move, row } from "./cursor.js";
import { closeDrawer, isOpen, moveTab, openNext } from "./drawer.js";
import { fold, toggleDensity } from "./tree.js";
import { fetchPage } from "./pages.js";
import { zoomBy } from "./zoom.js";

const KEYS = {
  j: () => (isOpen() ? openNext(1) : move(1)),
  k: () => (isOpen() ? openNext(-1) : move(-1)),
  ArrowDown: () => !isOpen() && (move(1), true),
  ArrowUp: () => !isOpen() && (move(-1), true),
  ArrowLeft: () => fold(row(), true),
  ArrowRight: () => fold(row(), false),
  Enter: () => row()?.querySelector(".open, .id a")?.click(),
  Escape: () => (isOpen() ? closeDrawer() : document.querySelector(".session") && location.assign("/")),
  "[": () => moveTab(-1),
  "]": () => moveTab(1),
  "/": () => document.querySelector(".search input").focus(),
  "?": showHelp,
  c: toggleDensity,
  t: changeTheme,
  "+": () => zoomBy(0.5),
  "=": () => zoomBy(0.5),
  "-": () => zoomBy(2),
  0: () => zoomBy(Infinity),
};

// These only act where a row was chosen; else the browser scrolls as ever.
const NEED_ROW = new Set(["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Enter"]);

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
    if (NEED_ROW.has(event.key) && !row()) return;
    if (event.key.startsWith("Arrow") && event.target.closest(".drawer, pre")) return;
    const act = KEYS[event.key];
    if (act && act() !== false) event.preventDefault();
  });
  document.querySelector(".top .help")?.addEventListener("click", (event) => {
    event.preventDefault();
    showHelp();
  });
}

async function showHelp() {
  let dialog = document.querySelector("dialog.help-keys");
  if (!dialog) {
    const page = await fetchPage("/help");
    dialog = document.createElement("dialog");
    dialog.className = "help-keys";
    dialog.setAttribute("aria-label", "Keys");
    const close = document.createElement("form");
    close.method = "dialog";
    close.innerHTML = "<button>Close</button>";
    const heading = document.createElement("h1");
    heading.textContent = "Keys";
    dialog.append(heading, page.querySelector(".keys"), close);
    document.body.append(dialog);
  }
  dialog.showModal();
}
