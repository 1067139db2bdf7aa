// Bulk work: one code for several alike items, all or none.

import { post } from "./api.js";
import { $, codeText, fill, h } from "./dom.js";
import { search } from "./search.js";

const form = $("group");
const boxes = [...form.querySelectorAll("input[name=item]")];

const say = (text, kind = "") => {
  $("status").className = `notice ${kind}`;
  $("status").textContent = text;
};

function count() {
  const chosen = boxes.filter((box) => box.checked);
  $("all").checked = chosen.length === boxes.length;
  $("all").indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  $("number").textContent = chosen.length;
  $("decide").disabled = chosen.length === 0;
}

function add(code, shortName, name, path) {
  const id = `code-${code}`;
  if (!$(id)) {
    $("candidates").append(h("label", { class: "candidate", for: id },
      h("input", { type: "radio", name: "code", id, value: code }), h("kbd", {}, "＋"),
      h("span", { class: "title" }, h("b", {}, `*${shortName}*`), ` ${name}`),
      h("span", { class: "rate" }), h("span", { class: "share" }, codeText(code)),
      h("span", { class: "path" }, path.slice(0, -1).join(" › "))));
  }
  $(id).checked = true;
  $(id).focus();
}

function look() {
  search((hit) => add(hit.code, hit.short_name, hit.name, hit.path), form.dataset.day);
}

async function decide(event) {
  event.preventDefault();
  const code = new FormData(form).get("code");
  const items = boxes.filter((box) => box.checked).map((box) => box.value);
  if (!code) return say("请先选择一个编码", "warning");
  $("decide").disabled = true;
  try {
    const answer = await post("/v1/reviews/decide-alike", { items, code, why: $("why").value.trim() });
    const open = answer.items.filter((item) => item.state === "open").length;
    say(`已处理 ${items.length} 项` + (open ? `,其中 ${open} 项还需第二人独立审核` : ""));
    for (const box of boxes.filter((one) => one.checked)) box.closest("tr").remove();
    boxes.splice(0, boxes.length, ...boxes.filter((box) => box.isConnected));
    $("next").hidden = false;
    $("next").focus();
    if (!boxes.length) fill($("controls"));
  } catch (error) {
    const item = boxes.find((box) => box.value === error.context?.item);
    const name = item ? `“${item.closest("tr").querySelector(".item-name").textContent.trim()}”：` : "";
    say(`一项也没有改动。${name}${error.message}`, "warning");
  }
  if (boxes.length) count();
}

for (const box of boxes) box.addEventListener("change", count);
$("all").addEventListener("change", () => {
  for (const box of boxes) box.checked = $("all").checked;
  count();
});
$("look").addEventListener("click", look);
form.addEventListener("submit", decide);
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  if (document.querySelector("dialog[open]") || event.target.matches("input[type=text]")) return;
  const digit = event.code.match(/^(?:Digit|Numpad)([1-9])$/)?.[1];
  const radio = digit && form.querySelectorAll("input[name=code]")[digit - 1];
  if (radio) radio.checked = true;
  else if (event.key.toLowerCase() === "s") look();
  else if (event.key === "Enter" && event.target.matches("body, h1, input")) form.requestSubmit();
  else return;
  event.preventDefault();
});
count();
