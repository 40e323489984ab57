// Small things that are clicked on any page: copying, the theme, the rest of a long text, finding in metadata.

import { say } from "./pages.js";
import { localise } from "./times.js";

const BLOCK = 50_000; // characters of a long text that a browser lays out at once

/** Shows what only works with scripts, below `root`. */
export function reveal(root) {
  localise(root);
  for (const element of root.querySelectorAll(".copy, .filter-facts, .density")) element.hidden = false;
}

export function startClicks() {
  reveal(document);
  document.addEventListener("click", (event) => {
    const copy = event.target.closest(".copy");
    if (copy) return void copyText(copy.dataset.copy);
    const theme = event.target.closest(".theme");
    if (theme) return event.preventDefault(), changeTheme();
    const told = event.target.closest("[data-row] [title], .row .card [title]");
    if (told && !told.closest("a, button")) return void openRow(told.closest("[data-row], .row"), event);
    const rest = event.target.closest(".load-rest");
    if (rest && !event.ctrlKey && !event.metaKey) return event.preventDefault(), void loadRest(rest);
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches(".filter-facts")) filterFacts(event.target);
  });
}

// What says more when it is pointed at lies above the link that fills the row.
function openRow(row, event) {
  row.querySelector(".open, .id a").dispatchEvent(new MouseEvent("click", event));
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say("Copied");
}

export function changeTheme() {
  const next = { undefined: "dark", dark: "light", light: undefined }[document.documentElement.dataset.theme];
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
  try {
    if (next) localStorage.setItem("theme", next);
    else localStorage.removeItem("theme");
  } catch {
    // not remembered where storage is forbidden
  }
  say({ dark: "Dark", light: "Light" }[next] ?? "As the system");
}

async function loadRest(link) {
  const answer = await fetch(link.href);
  if (!answer.ok) return say("It could not be loaded");
  const text = await answer.text();
  const whole = document.createElement("div");
  whole.className = "code text whole";
  whole.tabIndex = 0;
  for (let start = 0; start < text.length; start += BLOCK) {
    const block = document.createElement("pre");
    block.textContent = text.slice(start, start + BLOCK);
    whole.append(block);
  }
  link.closest(".rest").previousElementSibling?.replaceWith(whole);
  link.closest(".rest").remove();
}

function filterFacts(input) {
  const sought = input.value.toLowerCase();
  for (const fact of input.parentElement.querySelectorAll(".facts > div"))
    fact.hidden = !fact.textContent.toLowerCase().includes(sought);
}
