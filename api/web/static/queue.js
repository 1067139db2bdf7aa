// The queue: one item after the other, every act a key. The next item is shown at once; the
// service answers meanwhile, in the order of the acts.

import { address, get, post } from "./api.js";
import { drawCandidates, drawChoice, drawItem, drawQuestions, drawSimilar, isOpen } from "./card.js";
import { $ } from "./dom.js";
import { Hand } from "./hand.js";
import { search } from "./search.js";

const page = $("queue");
const filter = JSON.parse(page.dataset.only);
const hand = new Hand(filter, Number(page.dataset.leaseSeconds), show, (entry, error) =>
  say(`“${title(entry)}”：${error.message}，已取下一项`, "warning"));
let shown = null; // the entry on screen
let chosen = "";
let answers = Promise.resolve(); // acts reach the service one after the other
let done = Number($("done").textContent), waiting = Number($("waiting").textContent);

const title = (entry) => entry.item.line.name.slice(0, 40);

function say(text, kind = "") {
  $("status").className = `notice ${kind}`;
  $("status").textContent = text;
}

function count(by) {
  done += by;
  waiting = Math.max(0, waiting - by);
  $("done").textContent = done;
  $("waiting").textContent = waiting;
}

/** Bring the first item of the hand on screen. */
function show() {
  const entry = hand.first;
  $("loading").hidden = true;
  $("work").hidden = !entry;
  $("empty").hidden = Boolean(entry) || hand.asking !== null;
  if (entry === shown) return;
  shown = entry ?? null;
  if (!entry) return;
  const { tier, suggestion } = entry.item;
  drawItem(entry);
  drawQuestions(entry, choose, look);
  drawCandidates(entry, choose);
  drawSimilar(entry, choose);
  $("why").value = "";
  // Where a fact is missing or nothing is sure, a person has to choose: Enter alone decides nothing.
  chosen = tier === "weak" || isOpen(suggestion) ? "" : suggestion.candidates[0].code;
  drawChoice(entry, chosen);
  $("name").focus({ preventScroll: true });
  scrollTo(0, 0);
}

async function choose(code) {
  const entry = shown;
  if (!entry) return;
  const listed = entry.item.suggestion.candidates.some((one) => one.code === code);
  if (!entry.codes[code]) {
    // Until it is there nothing is chosen: Enter must not confirm what was chosen before.
    chosen = "";
    drawChoice(entry, chosen);
    try {
      entry.codes[code] = await get(`/v1/reviews/${entry.item.id}/codes/${code}`);
    } catch (error) {
      say(error.message, "warning");
      return;
    }
  }
  if (entry !== shown) return;
  if (!listed && !entry.extra.includes(code)) {
    entry.extra.push(code);
    drawCandidates(entry, choose);
  }
  chosen = code;
  drawChoice(entry, code);
}

function look() {
  if (shown) search((hit) => choose(hit.code).then(() => $("name").focus()), shown.item.line.date);
}

/** Show the next item, then tell the service. On a refusal say why; what was not saved returns. */
function act(path, body, told) {
  if (!shown) return;
  const entry = hand.take();
  show();
  answers = answers.then(async () => {
    try {
      const item = await post(`/v1/reviews/${entry.item.id}/${path}`, body, { keepalive: true });
      if (path !== "skip") count(1);
      say(told(entry, item));
    } catch (error) {
      if (error.status === 409 || error.status === 404) {
        say(`“${title(entry)}”未保存：${error.message}。已取下一项。`, "warning");
      } else {
        hand.entries.unshift(entry);
        shown = null;
        show();
        say(`“${title(entry)}”未保存：${error.message}。请重试。`, "warning");
      }
    } finally {
      hand.settled(entry);
      refill();
    }
  });
}

function refill() {
  hand.refill().catch((error) => say(`取下一项失败：${error.message}`, "warning")).then(show);
}

function confirm() {
  if (!shown) return;
  if (!chosen) {
    say("请先选择一个编码（1–5），或按 S 搜索。", "warning");
    return;
  }
  const note = shown.codes[chosen];
  act("decide", { code: chosen, why: $("why").value.trim() }, (entry, item) => ({
    decided: `已定：“${title(entry)}” → *${note.short_name}* ${note.code_name}`,
    open: `已记下您对“${title(entry)}”的意见，该项还需第二人独立审核`,
    disputed: `“${title(entry)}”两人意见不同，已转专家裁定`,
  })[item.state]);
}

const skip = () => act("skip", {}, (entry) => `已跳过“${title(entry)}”，一小时内不再给您`);

/** Ask for a text in a dialog, then act with it. */
function ask(id, path, told) {
  if (!shown) return;
  const dialog = $(id), text = dialog.querySelector("textarea");
  text.value = "";
  dialog.returnValue = "";
  dialog.onclose = () => {
    const why = text.value.trim();
    if (dialog.returnValue === "ok" && why) act(path, { why }, told);
    else $("name").focus();
  };
  dialog.showModal();
  text.focus();
}

const sendBack = () =>
  ask("send-back", "send-back", (entry) => `已退回“${title(entry)}”，答复后会重新出现`);
const uncodable = () =>
  ask("uncodable", "uncodable", (entry) => `“${title(entry)}”已标为无法赋码`);

function undo() {
  answers = answers.then(async () => {
    try {
      const item = await post("/v1/reviews/undo");
      count(-1);
      if (item.state !== "open") {
        say(`已撤销对“${item.line.name.slice(0, 40)}”的裁定`);
        return;
      }
      await hand.putFirst(item.id);
      say(`已撤销，“${item.line.name.slice(0, 40)}”重新待审`);
    } catch (error) {
      say(error.message, "warning");
    }
  });
}

function alike() {
  if (shown) location.assign(address(`/review/groups/${shown.item.id}`));
}

const acts = {
  confirm, look, undo, skip, sendBack, uncodable, alike,
  note: () => $("why").focus(),
  help: () => $("help").showModal(),
};
const keys = {
  enter: "confirm", s: "look", u: "undo", n: "skip", b: "sendBack", x: "uncodable", a: "alike",
  m: "note", "?": "help",
};

for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => acts[button.dataset.act]());
}
for (const button of document.querySelectorAll("[data-phrase]")) {
  button.addEventListener("click", () => {
    const text = button.closest("dialog").querySelector("textarea");
    text.value = [text.value.trim(), button.textContent].filter(Boolean).join(";");
    text.focus();
  });
}
for (const text of document.querySelectorAll("dialog textarea")) {
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && text.value.trim()) {
      event.preventDefault();
      text.closest("dialog").close("ok");
    }
  });
}
$("why").addEventListener("keydown", (event) => {
  if (event.key === "Escape" || (event.key === "Enter" && !event.isComposing)) {
    event.preventDefault();
    $("name").focus();
  }
});

/** The key as printed on it, whatever an input method makes of it. */
function keyOf(event) {
  if (event.key.length === 1 && !/\d/.test(event.key)) return event.key.toLowerCase();
  return event.code.replace(/^Key/, "").toLowerCase().replace("numpadenter", "enter");
}

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  if (target.matches("textarea, select, input:not([type=radio])")) return;
  const digit = event.code.match(/^(?:Digit|Numpad)([1-9])$/)?.[1];
  if (digit && event.shiftKey) {
    document.querySelector(`#questions [data-number="${digit}"]`)?.click();
  } else if (digit) {
    const candidate = shown?.item.suggestion.candidates[digit - 1];
    if (candidate) choose(candidate.code);
  } else {
    const name = keys[keyOf(event)];
    if (!name || (name === "confirm" && target.matches("button, a, summary"))) return;
    acts[name]();
  }
  event.preventDefault();
});

async function start() {
  const first = page.dataset.first;
  if (first) {
    try {
      await post("/v1/reviews/renew", { items: [first] });
      await hand.putFirst(first);
    } catch (error) {
      say(`${error.message}，已取下一项`, "warning");
    }
  }
  refill();
}

start();
