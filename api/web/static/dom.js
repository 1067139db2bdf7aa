// Building the page from data. Text only ever becomes text: no string is read as markup.

/** An element. Attributes that are false or null are left out, functions listen to events. */
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value == null) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

export const $ = (id) => document.getElementById(id);

/** Replace what an element holds. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child != null && child !== false));
}

/** A code with its filling zeros set back. */
export function codeText(code) {
  const zeros = code.match(/^\d(?:\d\d)*?((?:00)*)$/)?.[1] ?? "";
  return h("code", {}, code.slice(0, code.length - zeros.length),
    h("span", { class: "zeros" }, zeros));
}

export const percent = (share) => `${(share * 100).toFixed(share > 0.995 && share < 1 ? 1 : 0)}%`;

export const yuan = (fen) =>
  (fen / 100).toLocaleString("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** 13%, 免税 …, from the fraction an answer gives. */
export function rateText(rate, treatment) {
  if (rate !== "") return `${Number((Number(rate) * 100).toFixed(4))}%`;
  return { exempt: "免税", zero: "零税率", not_taxed: "不征税" }[treatment] ?? "";
}
