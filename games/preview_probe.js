// Ours, and the first script in every page of a game that is tried: tells the console when the first picture came and
// what went wrong. It shares its page with the game, so the server believes nothing of it further than to show it.
(() => {
  "use strict";
  const own = document.currentScript, base = own.src.slice(0, own.src.indexOf(".attendant/"));
  own.remove(); // a game that looks for its own script finds the one it expects
  const {fetch, setTimeout, requestAnimationFrame} = window, {stringify} = JSON;
  const said = new Set();
  let waiting = [], errors = 0, framed = false;

  const send = () => {
    if (!waiting.length) return;
    const body = stringify(waiting.splice(0));
    fetch.call(window, `${base}.attendant/seen`, {method: "POST", mode: "no-cors", credentials: "omit", keepalive: true, body}).catch(() => {});
  };
  const say = (code, about) => {
    const key = stringify([code, about]);
    if (said.has(key) || said.size >= 20) return;
    said.add(key);
    if (waiting.push({code, ...about}) === 1) setTimeout.call(window, send, 250);
  };
  const path = url => String(url || "").startsWith(base) ? decodeURI(url.slice(base.length)).split(/[?#]/)[0] || "index.html" : "";
  const fail = (message, url, line) => {
    if (errors++ < 10) say("script_error", {message: String(message).slice(0, 300), path: path(url), line});
  };
  const quietly = fn => (...args) => { try { fn(...args); } catch { /* the game must not notice us */ } };

  addEventListener("pagehide", send);
  addEventListener("error", quietly(e => {
    if (e.target === window) return fail(e.message, e.filename, e.lineno);
    const missing = path(e.target.src || e.target.href); // what the policy stopped tells the browser itself
    if (missing) say("missing_file", {path: missing});
  }), true);
  addEventListener("unhandledrejection", quietly(e => {
    const [, url, line] = /(https?:\S+?):(\d+):\d+/.exec(e.reason?.stack) || [];
    fail(e.reason?.message ?? e.reason, url, Number(line));
  }));

  const frame = ms => {
    if (!framed) say("first_frame", {ms: Math.round(ms)});
    framed = true;
  };
  quietly(() => new PerformanceObserver(list => {
    for (const entry of list.getEntriesByName("first-contentful-paint")) frame(entry.startTime);
  }).observe({type: "paint", buffered: true}))();
  const {getContext} = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = function (...args) { // once: the frame after the one it is drawn in
    HTMLCanvasElement.prototype.getContext = getContext;
    requestAnimationFrame.call(window, () => requestAnimationFrame.call(window, frame));
    return getContext.apply(this, args);
  };

  const wanted = (name, fn) => { // calls through, and tells of what the sandbox refuses
    try { return fn(); } catch (error) {
      if (error?.name === "SecurityError") say(name === "Worker" ? "worker" : "storage", {what: name});
      throw error;
    }
  };
  for (const name of ["localStorage", "sessionStorage"]) {
    const real = Object.getOwnPropertyDescriptor(window, name);
    if (real?.configurable) Object.defineProperty(window, name, {...real, get: () => wanted(name, () => real.get.call(window))});
  }
  const {open} = IDBFactory.prototype;
  IDBFactory.prototype.open = function (...args) { return wanted("indexedDB", () => open.apply(this, args)); };
  window.Worker = new Proxy(Worker, {construct: (real, args) => wanted("Worker", () => new real(...args))});
  for (const name of ["open", "alert", "confirm", "prompt"]) {
    const real = window[name];
    window[name] = (...args) => { say("blocked", {what: name}); return real.apply(window, args); };
  }
})();
