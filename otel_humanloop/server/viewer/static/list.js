// The list of sessions: new ones are announced, and shown when one wants to see them.

import { fetchPage } from "./pages.js";

export function startList() {
  const form = document.querySelector(".filters");
  form?.addEventListener("change", () => form.requestSubmit());
  form?.addEventListener("submit", () => {
    for (const field of form.querySelectorAll("input, select")) if (!field.value) field.disabled = true;
  });
  document.querySelector(".news a")?.addEventListener("click", (event) => {
    event.preventDefault();
    refreshList(true);
  });
}

/** Brings rows up to date where they stand. New sessions are counted, or with `show` put at the top. */
export async function refreshList(show = false) {
  const page = await fetchPage(location.href);
  if (!page) return;
  const body = document.querySelector(".list tbody");
  if (!body) return void (page.querySelector(".list") && location.reload());
  const fresh = [];
  for (const row of page.querySelectorAll("[data-row]")) {
    const here = document.getElementById(row.id);
    if (!here) fresh.push(row);
    else update(here, row);
  }
  const news = document.querySelector(".news");
  if (show) {
    for (const row of fresh) row.classList.add("new");
    body.prepend(...fresh);
    window.scrollTo({ top: 0 });
  } else if (fresh.length) {
    news.querySelector("a").textContent = `${fresh.length} new session${fresh.length > 1 ? "s" : ""}`;
  }
  news.hidden = show || !fresh.length;
}

function update(here, row) {
  for (const [index, cell] of [...row.cells].entries())
    if (index > 0 && here.cells[index].innerHTML !== cell.innerHTML) here.cells[index].innerHTML = cell.innerHTML;
  here.classList.toggle("failed", row.classList.contains("failed"));
}
