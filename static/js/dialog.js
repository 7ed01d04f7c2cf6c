// The dialog: holds the same form that is a page of its own without JavaScript.
"use strict";
if (dialog) {
  let opener = null, before = null, asking = null, discard = false; // before: what had the focus as it was asked for
  const changed = field => field.type === "hidden" ? false
    : ["radio", "checkbox"].includes(field.type) ? field.checked !== field.defaultChecked
    : field.value !== field.defaultValue || (field.type === "textarea" && field.value.trim());
  const typed = () => [...dialog.querySelectorAll("input, textarea")].some(changed);
  const isOutside = e => {
    const box = dialog.getBoundingClientRect();
    return e.target === dialog && (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom);
  };
  document.addEventListener("click", e => {
    const link = e.target.closest("[hx-target='#dialog-body'], #bulk button");
    if (link && !dialog.contains(link)) {
      [opener, before] = [link, document.activeElement];
      openedFrom = link.closest("[data-item]")?.id || "";
    }
    if (!(isOutside(e) && !typed()) && !e.target.closest("#dialog [data-close]")) return;
    e.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("cancel", e => { // Esc: once is a slip, twice is meant
    if (discard || !typed()) return;
    e.preventDefault();
    discard = true;
    warn("Press Esc once more to throw away what you typed.");
  });
  dialog.addEventListener("input", () => {
    if (discard) byId("dialog-alert").replaceChildren();
    discard = false;
  });

  // Only its own form's answer closes it: a late answer to another click must not throw away what is being typed.
  on("htmx:beforeRequest", "htmx:before:request", e => { if (dialog.contains(source(e) || e.target)) asking = source(e) || e.target; });
  document.addEventListener("attendant:close-dialog", e => dialog.open && dialog.contains(e.target) && dialog.close());
  on("htmx:afterSettle", "htmx:after:settle", e => { // the filter panel's answer is the list
    if (target(e)?.id !== "results" || !dialog.open || !asking || source(e) !== asking) return;
    place = null; // back to the button that opened the panel
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    if (dialog.open) return; // the browser tells of it a frame later: by then the next one may have been opened
    for (const region of ["dialog-body", "dialog-alert"]) byId(region).replaceChildren();
    discard = false;
    asking = null;
    if (place) return; // the answer that closed it says where to go
    if (![before, document.body, null].includes(document.activeElement)) return; // who has gone on since stays there
    const lost = !opener?.isConnected;
    show(lost ? byId(opener?.id) || byId(openedFrom) || byId("item") || cards()[0] || byId("main") : opener);
  });
}
