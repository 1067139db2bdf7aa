// A proposal's code is found by search, a running preview is waited for, and switching is asked about.

import { get } from "./api.js";
import { $ } from "./dom.js";
import { search } from "./search.js";

const WAIT = 2000;

$("look")?.addEventListener("click", () => search((hit) => {
  $("cell-code").value = hit.code;
  $("code-name").textContent = `*${hit.short_name}* ${hit.name}`;
  $("cell-code").focus();
}));

for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.ask)) event.preventDefault();
  });
}

const running = $("running");
async function look() {
  const effect = await get(`/v1/desk/proposals/${running.dataset.proposal}/effect`).catch(() => null);
  if (effect && effect.state !== "running") location.reload();
  else setTimeout(look, WAIT);
}
if (running) setTimeout(look, WAIT);
