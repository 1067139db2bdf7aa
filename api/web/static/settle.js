// The expert's form: any other code can be found by search.

import { $, codeText, h } from "./dom.js";
import { search } from "./search.js";

const form = $("settle");

$("look").addEventListener("click", () => search((hit) => {
  const id = `code-${hit.code}`;
  if (!$(id)) {
    $("codes").append(h("label", { class: "candidate", for: id },
      h("input", { type: "radio", name: "code", id, value: hit.code, required: true }),
      h("kbd", {}, "＋"),
      h("span", { class: "title" }, h("b", {}, `*${hit.short_name}*`), ` ${hit.name}`),
      h("span", { class: "rate" }), h("span", { class: "share" }, codeText(hit.code)),
      h("span", { class: "path" }, hit.path.slice(0, -1).join(" › "))));
  }
  $(id).checked = true;
  $(id).focus();
}, form.dataset.day));
