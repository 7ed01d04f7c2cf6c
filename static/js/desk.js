// What happens between swaps: the one poll, single-key shortcuts, ticking, and scripts that are fetched when needed.
"use strict";
{
  // --- the poll asks every few seconds while somebody looks, and backs off when the server is in trouble
  const poller = byId("poller");
  const base = Number(poller?.dataset.every);
  let wait = base, timer, over = false, asked = Date.now();
  let looking = null; // where the focus is: what a poll brings up to date may take it away
  const ask = () => { asked = Date.now(); htmx.trigger(poller, "poll"); };
  on("htmx:beforeSwap", "htmx:before:swap", e => {
    const at = document.activeElement;
    if (source(e) === poller) looking = at?.closest("[data-item]")?.id || (at?.closest("#item") && "item");
  });
  const needed = () => document.querySelector("[data-badge], .watch, #seen"); // what a poll could bring up to date
  const arm = () => {
    clearTimeout(timer);
    const pace = document.querySelector(".watch") ? .5 : 1; // somebody waits for what changes within seconds
    timer = over || document.hidden || !needed() ? 0 : setTimeout(ask, wait * pace * (.9 + Math.random() * .2));
  };
  on("htmx:afterRequest", "htmx:finally:request", e => {
    if ((v4 ? source(e) : e.detail.elt) !== poller) return;
    if ([401, 403].includes(status(e))) {
      over = true;
      document.dispatchEvent(new CustomEvent("attendant:session-ended"));
      return;
    }
    if (looking && document.activeElement === document.body) byId(looking)?.focus({preventScroll: true});
    looking = null;
    const well = [200, 204].includes(status(e));
    wait = well ? base : Math.min(wait * 2, 60000);
    if (!well) for (const each of document.querySelectorAll("[data-badge], #live-tag")) // the next answer brings all anew
      each.matches("input") ? each.value = "" : each.firstChild.data = "–";
    wait = Math.max(wait, 1000 * Number(header(e, "Retry-After")) || 0);
    arm();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || over) clearTimeout(timer);
    else if (Date.now() - asked > base) ask();
    else arm();
  });
  if (poller) arm();
  on("htmx:afterSettle", "htmx:after:settle", () => poller && !timer && arm()); // Retry brought something to watch
  let told = 0; // new comments are spoken of once a minute at most, and never under the cursor
  document.addEventListener("attendant:news", e => {
    if (Date.now() - told < 60000) return;
    told = Date.now();
    say(`${e.detail.count > 1000 ? "1,000+" : e.detail.count} new. Load them with the button above the list.`);
  });

  // --- keys only click what is there to be clicked: rights, flags and pages without JavaScript stay one path
  const off = () => document.body.dataset.keys === "off";
  const current = () => document.activeElement?.closest("[data-item]") || byId("item");
  const step = by => {
    const all = cards(), at = all.indexOf(current());
    show(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
  };
  const visible = selector => [...(selector || [])].find(each => each.checkVisibility());
  document.addEventListener("keydown", e => {
    if (off() || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.repeat || dialog?.open) return;
    if (e.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
    const key = e.key.toLowerCase();
    if ((key === "j" || key === "k") && cards().length) { e.preventDefault(); return step(key === "j" ? 1 : -1); }
    const inCard = visible(current()?.querySelectorAll(`[data-key="${CSS.escape(key)}"]`));
    const found = inCard || visible([...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]:not([data-item] *, #item *)`)].reverse()); // the toast is last
    if (!found) return;
    e.preventDefault();
    if (found.matches("input")) { found.focus(); found.select(); } else found.click();
  });

  // --- tick all that is shown, or none; without JavaScript the same link loads the page with all of it ticked
  document.addEventListener("click", e => {
    if (!e.target.closest("[data-tick-all]")) return;
    e.preventDefault();
    const boxes = [...document.querySelectorAll("[name=selected]")], tick = boxes.some(box => !box.checked);
    for (const box of boxes) box.checked = tick;
    say(tick ? `${boxes.length} ticked.` : "None ticked.");
  });

  // --- scripts and styles that only few need come with the element that asks for them
  const fetched = new Map();
  const load = url => {
    if (!fetched.has(url)) fetched.set(url, new Promise((done, failed) => {
      const css = url.split("?")[0].endsWith(".css"), element = document.createElement(css ? "link" : "script");
      Object.assign(element, css ? {rel: "stylesheet", href: url} : {src: url, async: false}, {onload: done, onerror: failed});
      document.head.append(element);
    }));
    return fetched.get(url);
  };
  const wake = async root => {
    for (const element of root.querySelectorAll("[data-needs]")) {
      const needs = element.dataset.needs.split(" ");
      element.removeAttribute("data-needs");
      await Promise.all(needs.map(load)).then(
        () => element.dispatchEvent(new CustomEvent("attendant:ready", {bubbles: true})), () => fetched.clear());
    }
  };
  wake(document);
  on("htmx:afterSettle", "htmx:after:settle", e => target(e)?.isConnected && wake(target(e)));
  document.addEventListener("attendant:shown", e => wake(e.target));
}
