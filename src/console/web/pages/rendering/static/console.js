// Moves a page's live parts, runs its countdowns, and gives it shortcuts. Pages work without it.
"use strict";

// Live parts: the elements with `data-live` and an id. The server tells when they are old.
const standing = document.getElementById("standing");
const away = document.getElementById("away");
let stream = null, due = null;

function reload() {
  due = null;
  const parts = [...document.querySelectorAll("[data-live][id]")]
    .filter((part) => !part.contains(document.activeElement) || !document.activeElement.matches("input, select, textarea"))
    .map((part) => `#${CSS.escape(part.id)}:outerMorph`);
  if (parts.length) {
    htmx.ajax("GET", location.pathname + location.search, {
      swap: "none", selectOOB: parts.join(","), headers: { "Refunds-Live": "1" },
    });
  }
}

function soon() {
  due ??= setTimeout(reload, 200);
}

function listen() {
  const shown = document.getElementById("standing")?.dataset.places;
  if (shown === undefined || stream) return;
  stream = new EventSource(`/live?seen=${encodeURIComponent(shown)}`);
  stream.addEventListener("moved", () => { away.hidden = true; soon(); });
  stream.addEventListener("away", () => { away.hidden = false; });
  stream.addEventListener("ended", () => location.reload());
  stream.addEventListener("reached", (event) => {
    away.hidden = true;
    const told = document.querySelector("#standing time");
    if (told && event.data) {
      told.dateTime = event.data;
      told.textContent = event.data.replace("T", " ").replace("Z", "");
    }
  });
  stream.onerror = () => {
    away.hidden = false;
    if (stream?.readyState === EventSource.CLOSED) { leave(); setTimeout(() => document.hidden || listen(), 10000); }
  };
}

function leave() {
  stream?.close();
  stream = null;
}

// A browser has few connections to one host: a page that nobody sees gives its own back.
if (standing && document.body.dataset.past === undefined) {
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
  addEventListener("pagehide", leave);
  // Whoever signs out ends the stream's session: the page is left, not loaded again. A file that is
  // fetched leaves the page where it is.
  addEventListener("beforeunload", () => { leave(); setTimeout(() => document.hidden || listen(), 5000); });
  addEventListener("pageshow", () => document.hidden || listen());
}

// Countdowns: <time data-until="instant">; the present is the server's, and in a sandbox it stands.
const { present, clock, units } = document.documentElement.dataset;
const ahead = present ? Date.parse(present) - Date.now() : 0;

function left(until) {
  const now = clock === "stands" ? Date.parse(present) : Date.now() + ahead;
  return Math.max(0, Math.floor((Date.parse(until) - now) / 1000));
}

function count() {
  const [d, h, m, s] = units.split(" ");
  for (const each of document.querySelectorAll("[data-until]")) {
    const seconds = left(each.dataset.until);
    const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
    const minutes = Math.floor(seconds / 60) % 60;
    each.textContent = days ? `${days} ${d} ${hours} ${h} ${minutes} ${m}`
      : hours ? `${hours} ${h} ${minutes} ${m} ${seconds % 60} ${s}` : `${minutes} ${m} ${seconds % 60} ${s}`;
    each.classList.toggle("soon", seconds < 3600);
    if (seconds === 0 && each.dataset.over === undefined) {
      each.dataset.over = "";
      each.dispatchEvent(new CustomEvent("countdown-over", { bubbles: true }));
      soon();
    }
  }
}

if (units) {
  count();
  setInterval(count, 1000);
}

// Shortcuts: `?` shows them, `g` and a letter goes to a room, `/` to the first field.
const shortcuts = document.getElementById("shortcuts");
let going = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  if (going) {
    going = false;
    document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "g") {
    going = true;
    setTimeout(() => { going = false; }, 1500);
  } else if (event.key === "?") {
    shortcuts?.showModal();
  } else if (event.key === "/") {
    event.preventDefault();
    document.querySelector("main input:not([type=hidden]), main select")?.focus();
  } else if (event.key === "n") {
    document.querySelector("main a[rel=next]")?.click();
  }
});
