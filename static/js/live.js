// The one poll: asks every few seconds while somebody looks, backs off when the server is in trouble.
"use strict";
{
  const poller = document.getElementById("poller");
  const four = window.htmx?.version?.startsWith("4");
  const base = Number(poller?.dataset.every);
  let wait = base, timer, over = false, asked = Date.now();
  const ask = () => { asked = Date.now(); htmx.trigger(poller, "poll"); };
  const arm = () => {
    clearTimeout(timer);
    if (!over && !document.hidden) timer = setTimeout(ask, wait * (.9 + Math.random() * .2));
  };
  document.addEventListener(four ? "htmx:finally:request" : "htmx:afterRequest", e => {
    const source = four ? e.detail.ctx?.sourceElement : e.detail.elt;
    if (source !== poller) return;
    const status = four ? e.detail.ctx?.response?.status : e.detail.xhr?.status;
    if ([401, 403].includes(status)) { over = true; return; }
    wait = status === 200 || status === 204 ? base : Math.min(wait * 2, 60000);
    const retry = Number(four ? e.detail.ctx?.response?.headers?.get("Retry-After") : e.detail.xhr?.getResponseHeader("Retry-After"));
    if (retry) wait = Math.max(wait, retry * 1000);
    arm();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (Date.now() - asked > base) ask();
    else arm();
  });
  if (poller) arm();
}
