"use strict";
// Draws what the stream tells. Text only ever goes in as text, never as markup.
const by = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const COLUMN = 104, ROW = 34, MARGIN = 30, RADIUS = 8;
let plan = null, last = null, held = false, seen = 0, chosen = null;
const nodes = new Map();

function element(name, parts = {}, ...inside) {
  const made = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(parts)) made.setAttribute(key, value);
  made.append(...inside.map((one) => (one instanceof Node ? one : String(one))));
  return made;
}
const digits = (value, n) => (value === null || value === undefined ? "\u2013" : value.toFixed(n).replace("-", "\u2212"));
const kw = (w) => (w === null || w === undefined ? "\u2013" : `${digits(w / 1000, 2)} kW`);
function clock(s) {
  const whole = Math.floor(s), two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
// Blue is low, grey is nominal, red is high; a mark says the same without colour.
function colour(v) {
  if (!v) return "#ffffff";
  const far = Math.max(-1, Math.min(1, (v - 1) / 0.1));
  const to = far < 0 ? [33, 102, 172] : [178, 24, 43];
  const mix = [226, 230, 233].map((grey, k) => Math.round(grey + (to[k] - grey) * Math.abs(far)));
  return `rgb(${mix.join(",")})`;
}
function mark(v) {
  if (!v) return "\u00d7";
  return v < plan.v_min_pu ? "\u25bc" : v > plan.v_max_pu ? "\u25b2" : "";
}
function inWords(bus) {
  const v = last && last.v_pu ? last.v_pu[bus] : undefined;
  const state = v === undefined ? "outside the feeder" : !v ? "dead" : `${digits(v, 4)} pu`;
  const beyond = v && mark(v) ? (v < 1 ? ", below its range" : ", above its range") : "";
  const load = last && last.load_w && last.load_w[bus] !== undefined ? `; load ${kw(-last.load_w[bus])}` : "";
  const here = plan.devices.filter((d) => d.bus === bus).map((d) => {
    const now = (last && last.devices && last.devices[d.name]) || {};
    return `${d.name}${now.p_w === undefined ? "" : ` ${kw(now.p_w)}`}`;
  });
  return `${bus}: ${state}${beyond}${load}${here.length ? `; ${here.join(", ")}` : ""}`;
}

function drawPlan() {
  by("title").textContent = plan.title;
  document.title = `${plan.title} \u00b7 gridrig live`;
  by("emulated").hidden = !plan.emulated;
  by("about").textContent = [`rig ${plan.rig}`, `${plan.clock} clock`, plan.network, plan.engine].filter(Boolean).join(" \u00b7 ");
  if (!plan.places) return;
  by("scale").replaceChildren(...[[0.9, "0.90 pu"], [0.95, "0.95"], [1, "1.00"], [1.05, "1.05"], [1.1, "1.10 pu"], [0, "\u00d7 dead"]]
    .map(([v, text]) => element("span", { style: `--c:${colour(v)}` }, text)));
  const diagram = by("diagram");
  diagram.replaceChildren();
  nodes.clear();
  const at = {};
  let width = 0, height = 0;
  for (const [bus, [column, row]] of Object.entries(plan.places)) {
    at[bus] = [MARGIN + column * COLUMN, 26 + row * ROW];
    width = Math.max(width, at[bus][0]);
    height = Math.max(height, at[bus][1]);
  }
  diagram.setAttribute("viewBox", `0 0 ${width + MARGIN} ${height + 24}`);
  for (const [kind, key, one, other] of plan.branches) {
    const [x1, y1] = at[one], [x2, y2] = at[other], middle = (x1 + x2) / 2;
    diagram.append(element("svg:path", { class: "branch", d: `M${x1} ${y1}H${middle}V${y2}H${x2}`, "data-key": key }));
    if (kind === "transformer") for (const shift of [-4, 4])
      diagram.append(element("svg:circle", { cx: middle + shift, cy: y2, r: 7, fill: "none", stroke: "#566573" }));
  }
  const devices = new Map();
  for (const d of plan.devices) if (d.bus && d.capability !== "meter" && d.capability !== "bms") devices.set(d.bus, (devices.get(d.bus) || []).concat(d.name));
  const order = Object.keys(plan.places).sort((a, b) => plan.places[a][1] - plan.places[b][1] || plan.places[a][0] - plan.places[b][0]);
  for (const bus of order) {
    const [x, y] = at[bus];
    const node = element("svg:g", { class: "node", role: "img", tabindex: "-1", transform: `translate(${x} ${y})`, "data-bus": bus },
      element("svg:circle", { class: "bus", r: RADIUS }), element("svg:circle", { class: "ring", r: RADIUS + 4 }),
      element("svg:text", { class: "mark", y: 4 }, ""),
      element("svg:text", { y: -RADIUS - 4, "text-anchor": "middle" }, (devices.get(bus) || []).join(", ")));
    node.addEventListener("focus", () => choose(bus));
    node.addEventListener("click", () => node.focus());
    diagram.append(node);
    nodes.set(bus, node);
  }
  const first = nodes.get(order[0]);
  if (first) first.setAttribute("tabindex", "0");
}
function choose(bus) {
  for (const node of nodes.values()) node.setAttribute("tabindex", "-1");
  nodes.get(bus).setAttribute("tabindex", "0");
  chosen = bus;
  by("bus").textContent = inWords(bus);
}
by("diagram").addEventListener("keydown", (press) => {
  const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[press.key];
  if (!step || !plan || !plan.places || !chosen) return;
  press.preventDefault();
  const [column, row] = plan.places[chosen];
  let best = null, shortest = Infinity;
  for (const [bus, [c, r]] of Object.entries(plan.places)) {
    const ahead = (c - column) * step[0] + (r - row) * step[1];
    if (ahead <= 0) continue;
    const away = Math.abs((c - column) * step[1]) * 2 + Math.abs((r - row) * step[0]) + ahead;
    if (away < shortest) [best, shortest] = [bus, away];
  }
  if (best) nodes.get(best).focus();
});

function table(caption, heads, rows) {
  const cells = (row, tag) => row.map((cell, k) => element(k === 0 ? "th" : tag, heads[k].numeric ? { class: "n" } : {}, cell));
  const body = rows.map((row) => element("tr", row.bad ? { class: "bad" } : {}, ...cells(row.cells, "td").map((c, k) => { if (k === 0) c.setAttribute("scope", "row"); return c; })));
  return element("table", {}, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads.map((h) => element("th", h.numeric ? { class: "n", scope: "col" } : { scope: "col" }, h.text)))),
    element("tbody", {}, ...body));
}
const text = (t) => ({ text: t }), number = (t) => ({ text: t, numeric: true });

function draw(now) {
  last = now;
  by("stage").textContent = now.ended ? "the run has ended" : now.stage;
  const share = plan && plan.duration_s ? Math.min(100, (100 * now.t_s) / plan.duration_s) : 0;
  by("bar").setAttribute("aria-valuenow", share.toFixed(0));
  by("done").style.width = `${share}%`;
  for (const event of now.events.filter((e) => e.n > seen)) {
    const rest = Object.entries(event).filter(([key, value]) => !["t_s", "device", "kind", "n"].includes(key) && value !== "" && value !== null).map(([key, value]) => `${key} ${typeof value === "number" ? Number(value.toPrecision(6)) : value}`);
    by("events").prepend(element("li", {}, element("time", {}, `${clock(Math.max(0, event.t_s))}`), element("span", {}, event.device || "run"), element("span", {}, [event.kind.replaceAll("_", " "), ...rest].join("  "))));
    seen = Math.max(seen, event.n);
  }
  while (by("events").children.length > 200) by("events").lastChild.remove();
  if (now.ended) drawVerdict(now.ended);
  if (!now.v_pu || !plan || !plan.places) return;
  const facts = [["Time", clock(now.t_s)], ["Grid", now.islanded ? "ISLAND" : "connected"], ["Frequency", `${digits(now.f_hz, 3)} Hz`],
    ["From the main grid", kw(now.head_p_w)], ["Losses", kw(now.losses_w)], ["Transformer", `${digits(now.trafo_percent, 1)} %`],
    ["Late, this tick and at most", `${digits(now.late_s * 1000, 1)} and ${digits(now.late_max_s * 1000, 1)} ms`]];
  by("facts").replaceChildren(...facts.map(([what, value]) => element("div", {}, element("dt", {}, what), element("dd", {}, value))));
  for (const [bus, node] of nodes) {
    const v = now.v_pu[bus];
    node.querySelector(".bus").setAttribute("fill", v === undefined ? "#fff" : colour(v));
    node.querySelector(".mark").textContent = v === undefined ? "" : mark(v);
    node.setAttribute("aria-label", inWords(bus));
  }
  const open = new Set(now.islanded ? [...now.out, plan.pcc_branch] : now.out);
  for (const branch of by("diagram").querySelectorAll("[data-key]")) branch.classList.toggle("open", open.has(branch.dataset.key));
  if (chosen) by("bus").textContent = inWords(chosen);
  const shown = plan.devices.filter((d) => now.devices[d.name]);
  by("device-table").replaceChildren(table(`${shown.length} devices that are read at every tick, of ${plan.devices.length}; powers are positive into the grid`,
    [text("device"), text("what"), text("bus"), number("P"), number("says P"), number("set-point"), number("limit"), number("state of charge"), text("state"), text("answers")],
    shown.map((d) => {
      const one = now.devices[d.name];
      const answers = one.missed === undefined ? "" : one.missed ? `missed ${one.missed}` : "yes";
      return { bad: one.missed > 0, cells: [d.name, d.capability, d.bus || "", kw(one.p_w), kw(one.telemetry_p_w), kw(one.setpoint_w), kw(one.limit_w),
        one.soc === undefined ? "\u2013" : `${digits(one.soc * 100, 1)} %`, one.state || "", answers] };
    })));
  const price = (micro) => (micro === null ? "\u2013" : digits(micro / 1e6, 4));
  const zoned = now.market.some((m) => m.zones); // then each zone has a price, and links a fee
  const carried = ([name, milliwh, fee]) => `${name} ${digits(milliwh / 1e6, 3)} kWh at ${digits(fee / 1e6, 4)}`;
  by("market").replaceChildren(table("The periods cleared last", [text("period"), text("delivery"), number("price per kWh"), number("volume"), number("trades"), text("settled"), ...(zoned ? [text("links")] : [])],
    now.market.map((m) => ({ cells: [m.period, [m.start_s, m.end_s].map((s) => clock(s).replace(/:00$/, "")).join(" \u2013 "),
      m.zones ? Object.entries(m.zones).map(([name, micro]) => `${name} ${price(micro)}`).join(", ") : price(m.price_micro_per_kwh),
      `${digits(m.volume_milliwh / 1e6, 3)} kWh`, `${m.trades} of ${m.orders} orders`, m.settled ? "yes" : "not yet",
      ...(zoned ? [(m.links || []).map(carried).join(", ")] : [])] }))));
  if (now.ledger) by("ledger").replaceChildren(table(`Periods settled: ${now.ledger.periods_settled}. ${now.ledger.accounts} accounts, sum ${now.ledger.sum_micro}; the largest balances`,
    [text("account"), number("balance")], now.ledger.balances.map(([name, micro]) => ({ cells: [name, digits(micro / 1e6, 6)] }))));
  by("deadlines").replaceChildren(table("What comes next", [text("what"), number("at"), number("in")],
    now.deadlines.map((one) => ({ cells: [one.what, clock(one.at_s), clock(Math.max(0, one.at_s - now.t_s))] }))));
}
function drawVerdict(ended) {
  by("verdict").hidden = false;
  const rows = ended.criteria.map((one) => ({ bad: one.outcome !== "PASS", cells: [one.name, one.value === null ? "\u2013" : one.value, one.unit, one.outcome] }));
  by("verdict-body").replaceChildren(element("p", {}, element("span", { class: `outcome ${ended.outcome}` }, ended.outcome), ended.cause ? ` ${ended.cause}` : ""),
    element("div", { class: "wide" }, table(`${ended.criteria.length} criteria`, [text("criterion"), number("value"), text("unit"), text("outcome")], rows)));
}

by("pause").addEventListener("click", () => {
  held = !held;
  by("pause").setAttribute("aria-pressed", String(held));
  by("pause").textContent = held ? "Go on" : "Hold the picture";
  if (!held && waiting) { const now = waiting; waiting = null; draw(now); }
});
let waiting = null, over = false;
const stream = new EventSource("pictures");
stream.addEventListener("plan", (message) => { plan = JSON.parse(message.data); drawPlan(); if (last) draw(last); });
stream.addEventListener("now", (message) => {
  const now = JSON.parse(message.data);
  if (now.ended) { over = true; stream.close(); }
  if (held && !now.ended) {
    if (waiting) now.events = waiting.events.concat(now.events);
    waiting = now;
  } else { if (waiting) now.events = waiting.events.concat(now.events); waiting = null; draw(now); }
});
stream.addEventListener("error", () => { if (!over) by("stage").replaceChildren(element("span", { class: "lost" }, "no word from the run: it ended, or its process is gone")); });
