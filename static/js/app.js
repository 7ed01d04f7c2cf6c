// Focus, alerts and spoken words around htmx swaps. No behaviour a page needs: forms and links work without it.
"use strict";
const v4 = window.htmx?.version?.startsWith("4");
const on = (two, four, fn) => document.addEventListener(v4 ? four : two, fn);
const header = (e, name) => v4 ? e.detail.ctx?.response?.headers?.get(name) : e.detail.xhr?.getResponseHeader(name);
const status = e => v4 ? e.detail.ctx?.response?.status : e.detail.xhr?.status;
const source = e => v4 ? e.detail.ctx?.sourceElement : e.detail.requestConfig?.elt;
const target = e => v4 ? e.detail.ctx?.target : e.detail.target;
const byId = id => document.getElementById(id);
const dialog = byId("dialog");
const cards = () => [...document.querySelectorAll("#cards > [data-item]")];
let place = null, openedFrom = ""; // where focus goes next; the card whose link opened the dialog

const say = text => { byId("live").textContent = text; };
const alertRegion = () => byId(dialog?.open ? "dialog-alert" : "alert");
const show = element => {
  if (!element) return;
  if (!element.hasAttribute("tabindex") && !element.matches("a, button, input, select, textarea")) element.tabIndex = -1;
  element.focus({preventScroll: true});
  element.scrollIntoView({block: "nearest"});
};
const warn = words => {
  const note = document.createElement("div"), text = document.createElement("p");
  note.className = "note note--danger";
  text.textContent = words;
  note.append(text);
  alertRegion().replaceChildren(note);
  show(alertRegion());
};
const busy = seconds => `The server has too much to do. Nothing was changed. Try again${seconds ? ` in ${seconds} seconds` : " in a moment"}.`;

// An answer that is an error and does not say where it goes (a proxy's page, say) must not land inside a card.
on("htmx:beforeSwap", "htmx:before:swap", e => {
  const failed = status(e) >= 400;
  if (source(e)?.id === "poller") { // speaks up when the session ended, never takes the focus
    if (failed && status(e) !== 401) e.detail.shouldSwap = false;
    return;
  }
  if (failed && !header(e, "HX-Retarget")) {
    e.detail.shouldSwap = false;
    warn([429, 502, 503, 504].includes(status(e)) ? busy(header(e, "Retry-After")) : "The server could not answer. Nothing was changed.");
    return;
  }
  if (failed && header(e, "HX-Retarget") === "#alert") {
    place = {first: [alertRegion().id]};
    (v4 ? e.detail.ctx : e.detail).target = alertRegion(); // under an open dialog nobody could reach it
    return;
  }
  if (target(e)?.id === "dialog-body") return;
  const card = source(e)?.closest("[data-item]")?.id || (dialog?.contains(source(e)) && openedFrom);
  const ids = cards().map(each => each.id), at = ids.indexOf(card);
  if (target(e)?.id === "more") place = {after: target(e).previousElementSibling};
  else if (at >= 0) place = {first: [...ids.slice(at), ...ids.slice(0, at).reverse()]};
  else place = {go: place?.go, first: [...(place?.first || []), "item", ids[0]]};
});
document.addEventListener("attendant:undone", e => { place = {first: e.detail.items, go: true}; });

// Without this the browser leaves focus on <body>, and a keyboard or screen reader starts from the top again.
const settle = () => {
  if (!place || dialog?.open) return;
  const {first = [], after, go} = place, lost = !document.activeElement || document.activeElement === document.body;
  place = null;
  if (after) show(after.nextElementSibling?.matches("[data-item]") ? after.nextElementSibling : after);
  else if (lost || go || first[0] === "alert") show(first.map(byId).find(Boolean) || cards()[0] || byId("main"));
};
on("htmx:afterSettle", "htmx:after:settle", e => {
  const swapped = target(e);
  if (swapped?.id === "dialog-body" && !dialog.open) dialog.showModal();
  if (swapped?.id === "dialog-body") show(byId("form-errors") || dialog.querySelector("[autofocus], :is(input, select, textarea, button):not([type=hidden], [disabled])"));
  else if (swapped?.id === "dialog-alert") show(swapped);
  else requestAnimationFrame(settle);
  const token = document.querySelector("[data-token]")?.dataset.token; // signed in again in another tab
  if (token) for (const input of document.getElementsByName("csrfmiddlewaretoken")) input.value = token;
  const shown = new Set(); // what came back by undo may come again with "Load more"
  for (const card of cards()) shown.has(card.id) ? card.remove() : shown.add(card.id);
  // answers to verbs, and refusals, bring words of their own
  if (swapped?.id !== "results" || header(e, "HX-Trigger") || status(e) >= 400) return;
  say(byId("results")?.dataset.announce || "");
  byId("alert").replaceChildren();
});
on("htmx:afterRequest", "htmx:finally:request", e => source(e)?.id !== "poller" && setTimeout(settle, 60)); // a "delete" may not settle
document.addEventListener("submit", e => { // before htmx reads the form
  const shown = e.target.querySelector("[data-shows]");
  if (shown) shown.value = byId(shown.dataset.shows) ? "1" : "";
}, true);
document.addEventListener("click", e => {
  if (!e.target.closest("[data-dismiss]")) return;
  e.target.closest("[data-dismiss]").parentElement.remove();
  show(byId("main"));
});
on("htmx:sendError", "htmx:error", e => source(e)?.id !== "poller" && warn("No answer came. Perhaps it was done, perhaps not. Try again: the same form counts once."));
on("htmx:timeout", "htmx:timeout", e => source(e)?.id !== "poller" && warn("The server took too long. Look at the item before you try again."));
// a page from the browser's memory shows what may no longer be true, or whom it is no longer for
addEventListener("pageshow", e => e.persisted && location.reload());
