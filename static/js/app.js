// Focus, dialog and spoken words around htmx swaps. No behaviour a page needs: forms and links work without it.
"use strict";
const v4 = window.htmx?.version?.startsWith("4");
const on = (two, four, fn) => document.addEventListener(v4 ? four : two, fn);
const header = (e, name) => v4 ? e.detail.ctx?.response?.headers?.get(name) : e.detail.xhr?.getResponseHeader(name);
const status = e => v4 ? e.detail.ctx?.response?.status : e.detail.xhr?.status;
const source = e => v4 ? e.detail.ctx?.sourceElement : e.detail.requestConfig?.elt;
const target = e => v4 ? e.detail.ctx?.target : e.detail.target;
const byId = id => document.getElementById(id);
const dialog = byId("dialog");
let opener = null, next = null;

const say = text => { byId("live").textContent = text; };
const alertRegion = () => byId(dialog?.open ? "dialog-alert" : "alert");
const show = element => {
  if (!element) return;
  if (!element.hasAttribute("tabindex") && !element.matches("a, button, input")) element.tabIndex = -1;
  element.focus({preventScroll: true});
  element.scrollIntoView({block: "nearest"});
};

// An answer that is an error and does not say where it goes (a proxy's page, say) must not land inside a card.
on("htmx:beforeSwap", "htmx:before:swap", e => {
  if (source(e)?.id === "poller") { // speaks up when the session ended, never takes the focus
    if (status(e) >= 400 && status(e) !== 401) e.detail.shouldSwap = false;
    return;
  }
  if (status(e) >= 400 && !header(e, "HX-Retarget")) {
    e.detail.shouldSwap = false;
    warn("The server could not answer. Nothing was changed.");
    return;
  }
  if (status(e) >= 400 && header(e, "HX-Retarget") === "#alert") {
    next = {focus: `#${alertRegion().id}`};
    (v4 ? e.detail.ctx : e.detail).target = alertRegion(); // under an open dialog nobody could reach it
    return;
  }
  const gone = target(e);
  if (gone?.matches?.("[data-item]")) {
    const sibling = gone.nextElementSibling?.matches("[data-item]") ? gone.nextElementSibling : gone.previousElementSibling;
    next = {self: gone.id, focus: sibling ? `#${sibling.id}` : "#main"};
  } else if (gone?.id === "more") {
    next = {after: gone.previousElementSibling};
  } else if (gone?.id === "item") {
    next = {focus: "#item"};
  } else if (gone?.id === "cards") {
    next = {focus: "#cards > [data-item]"};
  }
});

// Without this the browser leaves focus on <body>, and a keyboard or screen reader starts from the top again.
const settle = () => {
  if (!next) return;
  const {self, focus, after} = next;
  next = null;
  show((self && byId(self)) || after?.nextElementSibling || document.querySelector(focus) || byId("main"));
};
on("htmx:afterSettle", "htmx:after:settle", e => {
  const swapped = target(e);
  if (swapped?.id === "dialog-body" && !dialog.open) dialog.showModal();
  if (swapped?.id === "dialog-body") show(byId("form-errors") || dialog.querySelector("input:not([type=hidden]), textarea, button"));
  else requestAnimationFrame(settle);
  const token = document.querySelector("[data-token]")?.dataset.token; // signed in again in another tab
  if (token) for (const input of document.getElementsByName("csrfmiddlewaretoken")) input.value = token;
  const results = byId("results");
  if (swapped?.id === "results" && results) say(results.dataset.announce);
});
on("htmx:afterRequest", "htmx:finally:request", () => setTimeout(settle, 60)); // a "delete" swap may not settle

// --- the dialog: the same form that is a page of its own without JavaScript
document.addEventListener("click", e => {
  const link = e.target.closest("[hx-target='#dialog-body']");
  if (link && !dialog.contains(link)) opener = link;
  if (e.target === dialog || e.target.closest("#dialog [data-close]")) { e.preventDefault(); dialog.close(); }
  if (e.target.closest("[data-dismiss]")) { e.target.closest("[data-dismiss]").parentElement.remove(); show(byId("main")); }
});
document.addEventListener("submit", e => { // before htmx reads the form
  const shown = e.target.querySelector("[data-shows]");
  if (shown) shown.value = byId(shown.dataset.shows) ? "1" : "";
}, true);
document.addEventListener("attendant:close-dialog", () => dialog?.open && dialog.close());
dialog?.addEventListener("close", () => {
  byId("dialog-body").replaceChildren();
  byId("dialog-alert").replaceChildren();
  if (!next && opener?.isConnected) opener.focus();
});

// --- nobody answered
const warn = words => {
  const note = document.createElement("div"), text = document.createElement("p");
  note.className = "note note--danger";
  text.textContent = words;
  note.append(text);
  alertRegion().replaceChildren(note);
  show(alertRegion());
};
on("htmx:sendError", "htmx:error", () => warn("The server cannot be reached. Nothing was changed. Try again."));
on("htmx:timeout", "htmx:timeout", () => warn("The server took too long. Look at the item before you try again."));
// a page from the browser's memory shows what may no longer be true, or whom it is no longer for
addEventListener("pageshow", e => e.persisted && location.reload());
