// Pages that grow while they are looked at. The server says that something is new; the page fetches what.

import { refreshList } from "./list.js";
import { refreshTree } from "./tree.js";

export function startLive(address) {
  const refresh = document.querySelector(".session") ? refreshTree : refreshList;
  const stream = new EventSource(address);
  let busy = false;
  let again = false;

  async function bringUpToDate() {
    if (busy) return void (again = true);
    busy = true;
    const began = performance.now();
    try {
      await refresh();
    } catch {
      // the next change, or the stream's return, tries again
    }
    // A large session takes a while to fetch; in between there must be time to read it.
    setTimeout(() => {
      busy = false;
      if (again) {
        again = false;
        bringUpToDate();
      }
    }, Math.max(250, 3 * (performance.now() - began)));
  }

  let known = false;
  stream.addEventListener("watching", (event) => {
    // A change between the page and its stream, or while the stream was broken, was not told.
    if (known || !event.data || event.data !== document.body.dataset.version) bringUpToDate();
    document.body.classList.toggle("watching", true);
    known = true;
  });
  stream.addEventListener("change", bringUpToDate);
  window.addEventListener("pagehide", () => stream.close());
  window.addEventListener("pageshow", (event) => event.persisted && known && startLive(address));
}
