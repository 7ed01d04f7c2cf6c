// Wakes the fields for several games or players: fetched with jQuery and select2 when the filter panel is opened.
// Whatever fails here, the plain text fields beside them stay and do the same.
"use strict";
document.addEventListener("attendant:ready", e => {
  for (const select of e.target.querySelectorAll("select.django-select2")) {
    const plain = document.getElementById(`${select.id}_text`);
    const label = plain.closest(".field").querySelector("label"), help = document.getElementById(`${plain.id}_helptext`);
    const asleep = isAsleep => {
      select.disabled = select.hidden = isAsleep;
      plain.disabled = plain.hidden = help.hidden = !isAsleep;
    };
    if (plain.value) continue; // typed names are not thrown away
    asleep(false);
    const $select = jQuery(select);
    $select.select2({
      dropdownParent: jQuery(select.closest("dialog") || document.getElementById("main")),
      width: "100%",
      minimumInputLength: Number(select.dataset.minimumInputLength),
      ajax: {
        url: select.getAttribute("data-ajax--url"),
        delay: 200,
        data: asked => ({term: asked.term, page: asked.page, field_id: select.dataset.field_id}),
        processResults: found => ({results: found.results, pagination: {more: found.more}}),
        transport: (request, done, failed) => jQuery.ajax(request).then(done, answer => {
          if (answer.statusText === "abort") return;
          failed();
          $select.select2("destroy"); // the server forgot the field, or is in trouble
          asleep(true);
          plain.value = [...select.selectedOptions].map(option => option.text).join(", ");
          plain.focus();
        }),
      },
    });
    // select2 leaves its box without a name and without saying what it opens (select2#3744)
    const name = label.textContent, box = $select.next().find(".select2-selection")[0];
    const field = $select.next().find(".select2-search__field")[0];
    for (const each of [box, field]) each?.setAttribute("aria-label", name);
    const chosen = box.getAttribute("aria-labelledby"); // of one game: what is chosen, without saying for what
    label.id ||= `${select.id}_label`;
    if (chosen) box.setAttribute("aria-labelledby", `${label.id} ${chosen}`);
    $select.on("select2:open", () => {
      const list = document.querySelector(".select2-results__options");
      list?.setAttribute("aria-label", name);
      const search = field || document.querySelector(".select2-dropdown .select2-search__field"); // made when it opens
      search?.setAttribute("aria-label", name);
      for (const each of [box, search]) each?.setAttribute("aria-controls", list?.id || "");
      search?.focus();
    });
  }
});
