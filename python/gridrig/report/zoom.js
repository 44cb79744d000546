// Plots that zoom along time: drag over a stretch, or focus the plot and press + - arrows 0.
// `data-panes` of a plot: its columns of axes, each with its left and right edge, the first and last
// second there, and the second of UTC at which x is 0 (null where x counts from an event).
"use strict";
const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
const NARROWEST = 1e-4;
const HINT = "Drag to zoom, double-click for the whole; or + − ← → 0 on the keyboard.";
const SVG = "http://www.w3.org/2000/svg";

function step_of(span) {
  if (span >= 10) return NICE.find((step) => span / step <= 10) ?? 86400;
  const ten = 10 ** Math.floor(Math.log10(span / 10));
  return [1, 2, 5, 10].map((n) => n * ten).find((step) => span / step <= 10);
}

function tick_text(at, step, origin) {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (origin === null) return at.toFixed(digits).replace("-", "−");
  const time = new Date(Math.round((origin + at) * 1000)).toISOString();
  return step >= 60 ? time.slice(11, 16) : time.slice(11, digits ? 20 + Math.min(digits, 3) : 19);
}

class Pane {
  constructor(svg, [left, right, from, to, origin]) {
    Object.assign(this, { svg, left, right, from, to, origin, view: [from, to], parts: [] });
    const near = (x) => Math.abs(x - left) < 0.5;
    for (const part of svg.querySelectorAll("[clip-path]")) {
      const clip = svg.getElementById(part.getAttribute("clip-path").slice(5, -1));
      if (near(Number(clip.firstElementChild.getAttribute("x")))) this.take(part);
    }
    const within = (x) => x >= left - 0.5 && x <= right + 0.5;
    this.ticks = [...svg.querySelectorAll(".xtick")].filter((tick) =>
      within(Number(tick.querySelector("use").getAttribute("x"))));
    this.named = [...svg.querySelectorAll("[data-at]")].filter((text) => {
      const box = text.getBBox();
      return box.x + box.width > left && box.x < right;
    });
    const labels = this.ticks.map((tick) => tick.querySelector("text")).filter((text) => text);
    this.label = labels[0];
    this.own = svg.appendChild(document.createElementNS(SVG, "g"));
  }

  // What moves of one clipped element: the points of its paths, or the places of its marks.
  take(part) {
    for (const node of [part, ...part.querySelectorAll("path, use")]) {
      if (node.tagName === "path") this.parts.push([node, "d", node.getAttribute("d")]);
      if (node.tagName !== "use") continue;
      const at = Number(node.getAttribute("x"));
      const shape = this.svg.getElementById(node.getAttribute("xlink:href").slice(1));
      if (at) this.parts.push([node, "x", at]);
      else this.parts.push([shape, "d", shape.getAttribute("d")]);
    }
  }

  x(seconds) {
    const [a, b] = this.view;
    return this.left + ((seconds - a) / (b - a)) * (this.right - this.left);
  }

  moved(x) {
    return this.x(this.from + ((x - this.left) / (this.right - this.left)) * (this.to - this.from));
  }

  show(from, to) {
    const whole = this.to - this.from;
    const span = Math.min(whole, Math.max(whole * NARROWEST, to - from));
    const first = Math.min(Math.max(from, this.from), this.to - span);
    this.view = [first, first + span];
    const pairs = /(-?[\d.]+(?:e-?\d+)?)([ ,]-?[\d.]+(?:e-?\d+)?)/g;
    for (const [node, name, was] of this.parts) {
      const now = name === "x" ? this.moved(was)
        : was.replace(pairs, (_, x, rest) => this.moved(Number(x)).toFixed(2) + rest);
      node.setAttribute(name, now);
    }
    const all = this.whole();
    for (const text of this.named) {
      const at = Number(text.dataset.at);
      const was = this.left + ((at - this.from) / whole) * (this.right - this.left);
      text.setAttribute("transform", `translate(${this.x(at) - was} 0)`);
      text.style.display = at >= this.view[0] && at <= this.view[1] ? "" : "none";
    }
    for (const tick of this.ticks) tick.style.display = all ? "" : "none";
    this.own.replaceChildren(...(all || !this.label ? [] : this.marks()));
  }

  whole() {
    return this.view[0] === this.from && this.view[1] === this.to;
  }

  marks() {
    const [from, to] = this.view;
    const step = step_of(to - from);
    const zero = this.origin ?? 0;
    const marks = [];
    for (let n = Math.ceil((from + zero) / step - 1e-9); n * step - zero <= to; n += 1) {
      const at = n * step - zero;
      const text = this.label.cloneNode(false);
      const place = { x: this.x(at), y: this.label.getAttribute("y"), transform: "" };
      for (const [name, value] of Object.entries(place)) text.setAttribute(name, value);
      text.textContent = tick_text(at, step, this.origin);
      marks.push(text);
    }
    return marks;
  }

  said() {
    const [from, to] = this.view;
    const step = step_of(to - from) / 10;
    return `${tick_text(from, step, this.origin)} to ${tick_text(to, step, this.origin)}`;
  }
}

function zooming(svg) {
  const panes = JSON.parse(svg.dataset.panes).map((edges) => new Pane(svg, edges));
  const hint = svg.closest("figure").querySelector("figcaption").appendChild(document.createElement("span"));
  hint.className = "hint";
  hint.setAttribute("aria-live", "polite");
  hint.textContent = HINT;
  svg.tabIndex = 0;
  svg.classList.add("zooms");
  let used = panes[0];
  let from = null;
  const band = svg.appendChild(document.createElementNS(SVG, "rect"));
  band.classList.add("chosen");
  const show = (first, last) => {
    used.show(first, last);
    hint.textContent = used.whole() ? HINT : `${used.said()}. ${HINT}`;
  };
  const where = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
  const seconds = (x) => used.view[0] + ((x - used.left) / (used.right - used.left)) * (used.view[1] - used.view[0]);

  svg.addEventListener("pointerdown", (event) => {
    const x = where(event);
    const pane = panes.find(({ left, right }) => x >= left && x <= right);
    if (!pane || event.button) return;
    [used, from] = [pane, x];
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const x = Math.min(used.right, Math.max(used.left, where(event)));
    const [, top, , height] = svg.getAttribute("viewBox").split(" ");
    const place = { x: Math.min(x, from), width: Math.abs(x - from), y: top, height };
    for (const [name, value] of Object.entries(place)) band.setAttribute(name, value);
  });
  svg.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const x = Math.min(used.right, Math.max(used.left, where(event)));
    const ends = [seconds(Math.min(x, from)), seconds(Math.max(x, from))];
    if (Math.abs(x - from) > 4) show(...ends);
    from = null;
    band.removeAttribute("width");
  });
  svg.addEventListener("pointercancel", () => {
    from = null;
    band.removeAttribute("width");
  });
  svg.addEventListener("dblclick", () => show(used.from, used.to));
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [a, b] = used.view;
    const span = b - a;
    const ways = {
      "+": [a + span / 4, b - span / 4], "=": [a + span / 4, b - span / 4],
      "-": [a - span / 2, b + span / 2], ArrowLeft: [a - span / 4, b - span / 4],
      ArrowRight: [a + span / 4, b + span / 4], 0: [used.from, used.to], Escape: [used.from, used.to],
    };
    if (!(event.key in ways)) return;
    event.preventDefault();
    show(...ways[event.key]);
  });
  // Paper shows the whole, whatever the screen does.
  let views = [];
  addEventListener("beforeprint", () => {
    views = panes.map((pane) => pane.view);
    for (const pane of panes) pane.show(pane.from, pane.to);
  });
  addEventListener("afterprint", () => panes.forEach((pane, n) => pane.show(...views[n])));
}

document.querySelectorAll("svg[data-panes]").forEach(zooming);
