// The upload with a progress bar. The form is a plain one: without this it does the same, and the browser shows less.
"use strict";
{
  const units = ["B", "KiB", "MiB"];
  const bytes = number => {
    const step = Math.min(Math.floor(Math.log2(Math.max(number, 1)) / 10), 2);
    return `${(number / 1024 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
  };
  const left = seconds => seconds < 60 ? `${Math.ceil(seconds)} seconds left` : `${Math.ceil(seconds / 60)} minutes left`;
  let sending = null;

  const mark = (field, words) => { // as the server does it
    const box = field.closest(".field"), id = `${field.id}_error`;
    const error = byId(id) || Object.assign(document.createElement("p"), {id, className: "field__error"});
    error.textContent = words;
    box.append(error);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", `${field.id}_helptext ${id}`);
    field.focus();
    say(words);
  };
  const answer = (form, request, over) => {
    const to = request.getResponseHeader("HX-Redirect");
    if (to) {
      sending = null;
      return location.assign(to);
    }
    over();
    const made = new DOMParser().parseFromString(request.responseText, "text/html");
    const fresh = made.getElementById("upload");
    if (request.status === 413 || !fresh) { // nothing of the form was read: what was typed stays here
      const words = made.querySelector("#form-errors, .note")?.textContent.trim();
      warn(words || (request.status >= 500 ? busy(request.getResponseHeader("Retry-After")) : "The server did not take it. Nothing was uploaded."));
      const link = made.querySelector("a[target=_blank]");
      if (link) byId("alert").firstElementChild.append(link);
      const token = made.querySelector("[data-token]")?.dataset.token;
      if (token) form.elements.csrfmiddlewaretoken.value = token;
      return;
    }
    byId("upload").replaceWith(fresh);
    htmx.process(fresh);
    fresh.dispatchEvent(new CustomEvent("attendant:shown", {bubbles: true}));
    show(byId("form-errors"));
  };
  const send = form => {
    const request = sending = new XMLHttpRequest(), panel = form.parentElement.querySelector("[data-sending]");
    const file = form.elements.zip.files[0], started = Date.now();
    const [bar, words] = ["bar", "words"].map(part => panel.querySelector(`[data-sending-${part}]`));
    let shown = 0, spoken = 0;
    const over = words => {
      sending = null;
      panel.hidden = true;
      form.hidden = false;
      if (words) warn(words);
    };
    panel.querySelector("[data-sending-name]").textContent = file?.name || "";
    form.hidden = true;
    panel.hidden = false;
    panel.querySelector("[data-sending-stop]").onclick = () => request.abort();
    panel.querySelector("[data-sending-stop]").focus();
    request.upload.onprogress = e => {
      if (!e.lengthComputable || (Date.now() - shown < 250 && e.loaded < e.total)) return;
      shown = Date.now();
      const share = e.loaded / e.total, seconds = (shown - started) / 1000;
      bar.value = 100 * share;
      words.textContent = `${bytes(e.loaded)} of ${bytes(e.total)}, ${Math.floor(100 * share)} %, ${share < 1 ? left(seconds / share - seconds) : "the server has a look"}`;
      if (Math.floor(4 * share) > spoken) say(`${25 * (spoken = Math.floor(4 * share))} % uploaded`);
    };
    request.onload = () => answer(form, request, over);
    request.onerror = () => over("The connection broke. Nothing was uploaded; press Upload to try again.");
    request.onabort = () => { over(); say("The upload was cancelled."); show(form.querySelector("button")); };
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("HX-Current-URL", location.href);
    request.send(new FormData(form));
  };
  document.addEventListener("submit", e => {
    if (!e.target.matches("[data-upload]")) return;
    e.preventDefault();
    const field = e.target.elements.zip, most = Number(e.target.dataset.upload), file = field.files[0];
    if (sending) return;
    if (file?.size > most) return mark(field, `${file.name} has ${bytes(file.size)}; at most ${bytes(most)} are taken. Make it smaller, then choose it again.`);
    send(e.target);
  });
  addEventListener("beforeunload", e => sending && e.preventDefault()); // a stray click must not lose it
}
