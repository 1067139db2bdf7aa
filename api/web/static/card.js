// What a reviewer sees of an item: drawn from its details, nothing kept here.

import { $, codeText, fill, h, percent, rateText, yuan } from "./dom.js";
import { address } from "./api.js";

const TIERS = { strong: "强", medium: "中", weak: "弱" };
const FACTS = [
  ["spec", "规格"], ["unit", "单位"], ["brand", "品牌"], ["manufacturer", "厂家"],
  ["barcode", "条码"], ["seller_industry", "销售方"], ["date", "开票日期"], ["taxpayer", "纳税人"],
  ["declared_code", "原编码"], ["declared_short_name", "原简称"], ["declared_rate", "原税率"],
  ["answer", "已有回答"],
];
const TAXPAYERS = { general: "一般纳税人", small: "小规模纳税人" };

/** The name with the core product set off; what describes it carries its role. */
export function nameOf(marks) {
  return marks.map((mark) =>
    mark.core ? h("mark", { class: "core" }, mark.text)
      : h("span", { class: mark.role ? "described" : "plain", title: mark.role || null }, mark.text));
}

/** Draw everything that does not depend on what is chosen. */
export function drawItem(entry) {
  const { item, name, core } = entry;
  const suggestion = item.suggestion;
  fill($("name"), nameOf(name));
  fill($("roles"),
    h("span", { class: "chip core-chip" }, `核心商品 ${core || "未识别"}`),
    name.filter((m) => m.role && !m.core && m.role !== "其他" && m.role !== "品名")
      .map((m) => h("span", { class: "chip" }, h("i", {}, m.role), ` ${m.text.trim()}`)));
  const facts = FACTS.filter(([field]) => item.line[field])
    .map(([field, label]) => [label, TAXPAYERS[item.line[field]] ?? item.line[field]]);
  facts.push(["出现", `${item.times} 次`], ["金额合计", `${yuan(item.amount)} 元`]);
  fill($("facts"), facts.map(([label, value]) =>
    h("div", {}, h("dt", {}, label), h("dd", {}, value))));
  fill($("reasons"),
    h("p", { class: "why" },
      h("span", { class: `tier ${item.tier}` }, `${TIERS[item.tier]} ${percent(item.confidence)}`), " ",
      item.sampled && h("span", { class: "chip sampled" }, "随机抽查"),
      ` ${reason(item)}`),
    h("ul", {}, suggestion.evidence.map((text) => h("li", {}, text)),
      suggestion.warnings.map((text) => h("li", { class: "warning" }, `注意：${text}`))));
  const talked = entry.asked || entry.reply;
  $("exchange").hidden = !talked;
  fill($("exchange"), talked && [
    h("p", {}, h("b", {}, "曾退回询问："), entry.asked),
    h("p", {}, h("b", {}, "开票方答复："), entry.reply || "（尚未答复）")]);
}

function reason(item) {
  if (item.sampled) return "高把握答复的抽样复核，用来测量真实准确率。";
  if (isOpen(item.suggestion)) return "缺少一个决定编码的事实，见下面的问题。";
  return item.tier === "weak" ? "把握不足，需要人工选择编码。" : "把握中等，请确认首选编码。";
}

const decides = (question) => new Set(question.options.map((option) => option.code)).size > 1;

/** Whether a fact is missing that decides between codes, not between rates of one code. */
export const isOpen = (suggestion) => suggestion.questions.some(decides);

/** What is missing, with its options; what the reading asks to confirm; what the rate hangs on. */
export function drawQuestions(entry, choose, look) {
  const { hint, questions, candidates } = entry.item.suggestion;
  const first = candidates[0], open = questions.filter(decides);
  const option = (number, code, words, act) =>
    h("button", { type: "button", class: "option", "data-code": code, "data-number": number,
      click: act }, h("kbd", {}, `⇧${number}`), " ", words);
  const rest = questions.filter((question) => !decides(question));
  const confirms = hint?.kind === "confirm"; // else it tells what the name lacks
  fill($("questions"),
    hint && asked(confirms ? "请确认" : "请补充", hint.text, open.length || !confirms ? [] : [
      option(1, first.code, [`是，${entry.core || first.name} `, h("small", {}, `*${first.short_name}*`)],
        () => choose(first.code)),
      option(2, null, "不是，另找编码", look)]),
    open.map((question) => asked("缺少", question.text, question.options.map((one) =>
      option(one.number, one.code, [`${one.answer} `,
        h("small", {}, `*${one.short_name}* ${rateText(one.rate, one.treatment)}`)],
      () => choose(one.code))))),
    rest.map((question) => h("p", { class: "quiet" }, `税率另取决于：${question.text} `,
      question.options.map((one) => `${one.answer} ${rateText(one.rate, one.treatment)}`).join("；"))));
}

function asked(label, text, options) {
  return h("fieldset", { class: "question" }, h("legend", {}, label), h("p", {}, text),
    options.length > 0 && h("div", { class: "options" }, options));
}

/** The candidates as radio buttons; codes that came by search or option follow them. */
export function drawCandidates(entry, choose) {
  const rows = entry.item.suggestion.candidates.map((one, n) => [String(n + 1), one]);
  for (const code of entry.extra) {
    const note = entry.codes[code];
    rows.push(["＋", { code, short_name: note.short_name, name: note.code_name }]);
  }
  fill($("candidates"), rows.map(([key, one]) => {
    const note = entry.codes[one.code];
    const id = `code-${one.code}`;
    return h("label", { class: "candidate", for: id },
      h("input", { type: "radio", name: "code", id, value: one.code,
        change: () => choose(one.code) }),
      h("kbd", {}, key),
      h("span", { class: "title" }, h("b", {}, `*${one.short_name}*`), ` ${one.name}`,
        note?.catch_all && h("span", { class: "chip" }, "兜底")),
      h("span", { class: "rate" }, note?.rates[0]?.text ?? ""),
      one.confidence === undefined ? h("span", { class: "share" }, "人工")
        : h("span", { class: "share" }, h("meter", { min: 0, max: 1, value: one.confidence }),
          percent(one.confidence)),
      h("span", { class: "path" }, (note?.path ?? []).slice(0, -1).join(" › ")));
  }));
}

/** Official notes and rates of the code that is chosen. */
export function drawNote(note) {
  if (!note) {
    fill($("note"), h("p", { class: "quiet" }, "选择一个编码，这里显示它的官方注释和税率。"));
    return;
  }
  fill($("note"),
    h("h3", {}, `*${note.short_name}* ${note.code_name}`), h("p", {}, codeText(note.code)),
    !note.usable && h("p", { class: "warning" }, "该编码在开票日期不能用于开票"),
    h("ol", { class: "tree" }, note.path.map((step) => h("li", {}, step))),
    words("包括", note.includes, "includes"),
    note.excludes?.length > 0 && h("div", { class: "words excludes" }, h("h4", {}, "不包括"),
      h("ul", {}, note.excludes.map((one) => h("li", {}, one.term,
        one.code && h("small", {}, ` → ${one.short_name ? `*${one.short_name}* ${one.code_name}` : one.code}`))))),
    words("关键字", note.keywords, "keywords"),
    h("h4", {}, "税率"),
    h("ul", { class: "rates" }, note.rates.map((rate) => h("li", {},
      h("b", {}, rate.text), " ", rate.condition || "通常适用",
      h("small", {}, `${rate.basis}${rate.provisional ? "（待核对原文）" : ""}`)))));
}

function words(label, list, kind) {
  return list?.length > 0 && h("div", { class: `words ${kind}` }, h("h4", {}, label),
    h("p", {}, list.join("、")));
}

/** Decided items with the same core product. */
export function drawSimilar(entry, choose) {
  $("similar-none").hidden = entry.similar.length > 0;
  fill($("similar"), entry.similar.map((one) => h("li", {},
    h("a", { href: address(`/review/items/${one.id}`), target: "_blank", rel: "noopener" },
      one.name, one.spec && h("small", {}, ` ${one.spec}`)),
    h("button", { type: "button", class: "precedent", title: "选用这个编码",
      click: () => choose(one.code) }, h("b", {}, `*${one.short_name}*`), ` ${one.code_name}`))));
}

/** Show which code is chosen, in words and marks as well as in colour. */
export function drawChoice(entry, code) {
  for (const input of document.querySelectorAll("#candidates input")) {
    input.checked = input.value === code;
  }
  for (const button of document.querySelectorAll("#questions [data-code]")) {
    button.setAttribute("aria-pressed", button.dataset.code === code);
  }
  drawNote(entry.codes[code]);
  const note = entry.codes[code];
  $("chosen").textContent = note ? `*${note.short_name}* ${note.code_name}` : "尚未选择";
}
