// The drawer, opened in place: the session behind it stays as it is, and the address says what is open.

import { reveal } from "./clicks.js";
import { goTo, move, row } from "./cursor.js";
import { fetchPage, say } from "./pages.js";
import { sessionAddress } from "./tree.js";

let asked = 0;

/** The drawer, if it is open over a session. */
export function isOpen() {
  return document.querySelector(".session .drawer");
}

export function startDrawer() {
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const link = event.target.closest(".row .open, .move-previous, .move-next, .tabs a, .load-tab");
    if (link && document.body.dataset.session) {
      event.preventDefault();
      open(withTab(link), link.matches(".tabs a, .load-tab"));
    } else if (event.target.closest(".session .close")) {
      event.preventDefault();
      closeDrawer();
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".session .drawer form");
    if (!form) return;
    event.preventDefault();
    if (form.method === "get") open(`${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`, true);
    else send(form, event.submitter);
  });
  document.addEventListener("tree-changed", (event) => {
    const drawer = isOpen();
    const typing = drawer?.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    if (drawer && !typing && event.detail.includes(drawer.dataset.log)) load(location.href);
  });
  window.addEventListener("popstate", () => {
    if (!document.body.dataset.session) return;
    if (location.pathname.includes("/logs/")) load(location.href);
    else remove();
  });
}

// A tab that was chosen stays chosen from log to log.
function withTab(link) {
  const tab = isOpen()?.querySelector(".tabs [aria-current]")?.dataset.tab;
  const chosen = new URL(location.href).searchParams.has("tab");
  return tab && chosen && !link.search ? `${link.pathname}?tab=${tab}` : link.pathname + link.search;
}

async function open(address, stays) {
  history[stays ? "replaceState" : "pushState"](null, "", address);
  await load(address, !stays);
}

async function load(address, fresh) {
  const mine = ++asked;
  const url = new URL(address, location.href);
  url.searchParams.set("part", "drawer");
  const page = await fetchPage(url).catch(() => say("The log could not be loaded"));
  const drawer = page?.querySelector(".drawer");
  if (!drawer || mine !== asked) return;
  const before = isOpen();
  const scrolled = before && !fresh ? before.scrollTop : 0;
  reveal(drawer);
  neighbours(drawer);
  if (before) before.replaceWith(document.adoptNode(drawer));
  else document.querySelector("main").append(document.adoptNode(drawer));
  document.body.classList.add("with-drawer");
  drawer.scrollTop = scrolled;
  for (const other of document.querySelectorAll(".row.current")) other.classList.remove("current");
  const own = document.getElementById(drawer.dataset.log);
  own?.classList.add("current");
  if (fresh || !before) {
    goTo(own);
    drawer.focus({ preventScroll: true });
  }
}

// Previous and next follow the rows as they are shown: folded ones are passed over.
function neighbours(drawer) {
  const shown = [...document.querySelectorAll(".tree > .row")].filter((each) => !each.hidden);
  const at = shown.findIndex((each) => each.id === drawer.dataset.log);
  const moves = drawer.querySelector(".moves");
  for (const [name, step, sign, label] of [
    ["previous", -1, "↑", "Previous log"],
    ["next", 1, "↓", "Next log"],
  ]) {
    moves.querySelector(`.move-${name}`)?.remove();
    const other = at < 0 ? null : shown[at + step];
    if (!other) continue;
    const link = document.createElement("a");
    link.className = `button quiet move-${name}`;
    link.href = other.querySelector(".open").getAttribute("href");
    link.textContent = sign;
    link.setAttribute("aria-label", label);
    moves.insertBefore(link, moves.querySelector(".close"));
  }
}

/** Opens the log after or (-1) before the one that is open. */
export function openNext(step) {
  isOpen()?.querySelector(step > 0 ? ".move-next" : ".move-previous")?.click();
}

/** Opens the tab after or (-1) before the one that is open. */
export function moveTab(step) {
  const tabs = [...document.querySelectorAll(".drawer .tabs a")];
  const at = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
  tabs[(at + step + tabs.length) % tabs.length]?.click();
}

/** Closes the drawer; the row it was about is where keys go on. */
export function closeDrawer() {
  history.pushState(null, "", sessionAddress());
  remove();
}

function remove() {
  const drawer = isOpen();
  asked += 1;
  drawer?.remove();
  document.body.classList.remove("with-drawer");
  for (const other of document.querySelectorAll(".row.current")) other.classList.remove("current");
  if (drawer) goTo(document.getElementById(drawer.dataset.log) ?? row());
  else if (!row()) move(0);
}

async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body }).catch(() => null);
  if (!answer?.ok) return say("It could not be saved");
  say("Saved");
  await load(location.href);
}
