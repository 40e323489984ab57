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
  const rows = [...page.querySelectorAll("[data-row]")];
  const fresh = rows.filter((row) => !document.getElementById(row.id));
  for (const row of rows) if (!fresh.includes(row)) update(document.getElementById(row.id), row);
  const more = fresh.length === rows.length; // than a page of them: between these and those that are here stand others
  const news = document.querySelector(".news");
  if (show && more) return void location.reload();
  if (show) {
    for (const row of fresh) row.classList.add("new");
    body.prepend(...fresh);
    window.scrollTo({ top: 0 });
  } else if (fresh.length) {
    news.querySelector("a").textContent = `${fresh.length}${more ? "+" : ""} new session${fresh.length > 1 ? "s" : ""}`;
  }
  news.hidden = show || !fresh.length;
}

function update(here, row) {
  for (const [index, cell] of [...row.cells].entries())
    if (index > 0 && here.cells[index].outerHTML !== cell.outerHTML) here.cells[index].replaceWith(cell);
  here.classList.toggle("failed", row.classList.contains("failed"));
}
