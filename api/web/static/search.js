// Finding a code while typing: a dialog with a combobox over all leaves of the code table.

import { get } from "./api.js";
import { $, codeText, fill, h } from "./dom.js";

const WAIT = 70; // milliseconds without a key before the table is asked

/** Opens the dialog; calls `chosen` with what was picked. `day`: of the code table. */
export function search(chosen, day = "") {
  const dialog = $("search"), input = $("search-text"), list = $("search-hits");
  const state = $("search-state");
  let hits = [], at = -1, timer = 0, asked = 0, shown = "";

  function mark(place) {
    at = place;
    [...list.children].forEach((row, n) => row.setAttribute("aria-selected", n === at));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", at >= 0 ? `hit-${at}` : "");
  }

  function show() {
    fill(list, hits.map((hit, n) =>
      h("li", { id: `hit-${n}`, role: "option", "aria-selected": "false", click: () => pick(n) },
        h("span", { class: "hit-name" }, h("b", {}, `*${hit.short_name}*`), ` ${hit.name}`),
        hit.matched && h("span", { class: "chip" }, `含 ${hit.matched}`),
        codeText(hit.code),
        h("span", { class: "path" }, hit.path.slice(0, -1).join(" › ")))));
    input.setAttribute("aria-expanded", hits.length > 0);
    mark(hits.length ? 0 : -1);
  }

  async function ask() {
    const typed = input.value.trim(), mine = ++asked;
    clearTimeout(timer);
    if (!typed) { hits = []; show(); state.textContent = ""; return; }
    const query = new URLSearchParams({ q: typed, limit: 12, ...(day && { on: day }) });
    try {
      const answer = await get(`/v1/codes?${query}`);
      if (mine !== asked) return;
      hits = answer.results;
      shown = typed;
      state.textContent = hits.length ? `${hits.length} 个结果` : "没有符合的编码，换个词试试";
    } catch (error) {
      hits = [];
      state.textContent = error.message;
    }
    show();
  }

  function pick(place) {
    const hit = hits[place];
    if (!hit) return;
    dialog.close();
    chosen(hit);
  }

  const stop = new AbortController();
  const on = (node, kind, act) => node.addEventListener(kind, act, { signal: stop.signal });
  on(input, "input", () => { clearTimeout(timer); timer = setTimeout(ask, WAIT); });
  on(input, "keydown", async (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (hits.length) mark((at + (event.key === "ArrowDown" ? 1 : -1) + hits.length) % hits.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      // What is picked belongs to what is typed.
      if (input.value.trim() !== shown) await ask();
      pick(at);
    }
  });
  on(dialog, "close", () => { clearTimeout(timer); asked++; stop.abort(); });
  input.value = "";
  hits = [];
  state.textContent = "";
  show();
  dialog.showModal();
  input.focus();
}
