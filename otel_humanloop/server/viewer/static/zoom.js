// Zooming the waterfall. Bars stand in per cent of the whole session; a zoom shows `from` to `to` of them.

import { row } from "./cursor.js";

const whole = new WeakMap(); // bar -> its place in the whole session
let from = 0;
let to = 100;
let ticks; // as the server drew them, for the whole session

export function startZoom() {
  let began = null;
  document.addEventListener("pointerdown", (event) => {
    const axis = event.target.closest?.(".ticks");
    if (!axis || event.button !== 0) return;
    began = at(axis, event);
    axis.setPointerCapture(event.pointerId);
  });
  document.addEventListener("pointermove", (event) => {
    if (began === null) return;
    const axis = document.querySelector(".ticks");
    choose(axis, began, at(axis, event));
  });
  document.addEventListener("pointerup", (event) => {
    if (began === null) return;
    const axis = document.querySelector(".ticks");
    const [start, end] = [began, at(axis, event)].sort((one, other) => one - other);
    began = null;
    axis.querySelector(".chosen")?.remove();
    if (end - start > (to - from) / 100) zoom(start, end);
  });
  document.addEventListener("dblclick", (event) => event.target.closest?.(".ticks") && zoom(0, 100));
  document.addEventListener("click", (event) => event.target.closest?.(".zoom-out") && zoom(0, 100));
}

/** Shows `factor` times as much; everything for Infinity. The row that keys act on stays in sight. */
export function zoomBy(factor) {
  if (!document.querySelector(".ticks")) return false;
  if (factor === Infinity) return zoom(0, 100);
  const bar = row()?.querySelector(".bar");
  const place = bar && (whole.get(bar) ?? place_of(bar));
  const middle = place ? place[0] + place[1] / 2 : (from + to) / 2;
  const size = Math.min(100, (to - from) * factor);
  const start = Math.min(Math.max(0, middle - size / 2), 100 - size);
  zoom(start, start + size);
}

function zoom(start, end) {
  [from, to] = end - start < 0.01 ? [from, to] : [start, end];
  drawZoom();
}

/** Puts every bar where the zoom wants it. */
export function drawZoom() {
  const axis = document.querySelector(".ticks");
  if (!axis) return;
  if (ticks?.axis !== axis) ticks = { axis, drawn: [...axis.children], lines: [...(lines()?.children ?? [])] };
  const zoomed = from > 0 || to < 100;
  document.querySelector(".zoom-out").hidden = !zoomed;
  for (const bar of document.querySelectorAll(".lane rect")) {
    if (!whole.has(bar)) whole.set(bar, place_of(bar));
    const [left, width] = whole.get(bar);
    bar.setAttribute("x", `${((left - from) / (to - from)) * 100}%`);
    bar.setAttribute("width", `${(width / (to - from)) * 100}%`);
  }
  axis.replaceChildren(...(zoomed ? labels(axis) : ticks.drawn));
  lines()?.replaceChildren(...(zoomed ? [...axis.children].map(lineAt) : ticks.lines));
}

const lines = () => document.querySelector(".lines");

function place_of(bar) {
  return [parseFloat(bar.getAttribute("x")), parseFloat(bar.getAttribute("width"))];
}

function at(axis, event) {
  const box = axis.getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  return from + share * (to - from);
}

function choose(axis, one, other) {
  let chosen = axis.querySelector(".chosen");
  if (!chosen) {
    chosen = element("rect", { class: "chosen", y: 0, height: 29 });
    axis.append(chosen);
  }
  const [start, end] = [one, other].sort((a, b) => a - b);
  chosen.setAttribute("x", `${((start - from) / (to - from)) * 100}%`);
  chosen.setAttribute("width", `${((end - start) / (to - from)) * 100}%`);
}

function labels(axis) {
  const length = (axis.dataset.end - axis.dataset.start) / 1e6;
  const [start, end] = [(from / 100) * length, (to / 100) * length];
  const least = (end - start) / 6;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= least * 0.999);
  const made = [];
  for (let second = Math.ceil(start / step) * step; second <= end; second += step) {
    const place = ((second - start) / (end - start)) * 100;
    const side = place < 2 ? "first" : place > 95 ? "last" : "middle";
    const text = element("text", { x: `${place}%`, y: 18, class: side });
    text.textContent = label(second, step);
    made.push(text);
  }
  return made;
}

function label(seconds, step) {
  if (step >= 1) return `${Math.round(seconds)} s`;
  if (step >= 0.001) return seconds >= 1 ? `${seconds.toFixed(Math.ceil(-Math.log10(step)))} s` : `${Math.round(seconds * 1000)} ms`;
  return `${(seconds * 1000).toFixed(Math.ceil(-Math.log10(step * 1000)))} ms`;
}

function lineAt(text) {
  const x = text.getAttribute("x");
  return element("line", { x1: x, x2: x, y1: 0, y2: "100%" });
}

function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
