// What the pages gain from scripts. Every page works without them.

import { startClicks } from "./clicks.js";
import { startDrawer } from "./drawer.js";
import { startKeys } from "./keys.js";
import { startList } from "./list.js";
import { startLive } from "./live.js";
import { startTimes } from "./times.js";
import { startTree } from "./tree.js";
import { startZoom } from "./zoom.js";

if (document.querySelector(".sessions")) startList();
if (document.querySelector(".session")) {
  startTree();
  startZoom();
}
startClicks(); // shows what only works with scripts: the tree has looked by then at what came from the server
startKeys();
startTimes();
if (document.querySelector(".session, .alone")) startDrawer();
if (document.body.dataset.live) startLive(document.body.dataset.live);
document.documentElement.classList.add("scripted");
