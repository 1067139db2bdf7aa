// Files in, result files out: uploading, watching, downloading, cancelling.

import { Refusal, address, call, get } from "./api.js";
import { $, fill, h } from "./dom.js";

const EVERY = 2000;
const STATES = {
  queued: "排队中", running: "处理中", done: "已完成", failed: "失败", cancelled: "已取消",
};
const KINDS = { classify: "赋码", recode: "历史复核" };
const STAGES = {
  read: "读取", classify: "名称赋码", judge: "逐行判断", write: "写出", review: "送审",
};
const DOWNLOADS = {
  result: (job) => `下载结果（${job.format}）`,
  rejects: (job) => (job.kind === "recode" ? "未处理的行" : "未赋码的行"),
  report: () => "复核报告",
  template: () => "官方模板（zip）",
};
const active = (job) => job.state === "queued" || job.state === "running";
let jobs = [], next = "", timer = 0;

const say = (text, kind = "") => {
  $("status").className = `notice ${kind}`;
  $("status").textContent = text;
};

const clock = (text) => (text
  ? new Date(text).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false }) : "");

function lasting(seconds) {
  if (seconds == null) return "";
  if (seconds < 60) return `约剩 ${Math.ceil(seconds)} 秒`;
  return `约剩 ${Math.ceil(seconds / 60)} 分钟`;
}

/** How far a job is: its rows, or what its stage counts. Without a total the bar only moves. */
function progress(job) {
  const { name, done, total } = job.stage ?? { name: "", done: job.rows_done, total: job.rows_total };
  const unit = { classify: "个名称", review: "项" }[name] ?? "行";
  const far = total ? { max: total, value: done } : name ? {} : { max: 1, value: 0 };
  const counted = name === "write" ? "" : `${done ?? 0} / ${total || "?"} ${unit}`;
  return h("td", {}, h("progress", { ...far, "aria-label": `${job.id} 的进度` }),
    h("small", {}, [STAGES[name], counted, active(job) && lasting(job.seconds_left)]
      .filter(Boolean).join(" ")));
}

function row(job) {
  return h("tr", { id: job.id },
    h("td", {}, h("b", {}, KINDS[job.kind]), h("code", { class: "id" }, job.id),
      h("small", {}, clock(job.created_at))),
    h("td", {}, STATES[job.state] ?? job.state,
      job.error && h("small", { class: "warning" }, job.error.message ?? String(job.error)),
      job.notes.map((note) => h("small", {}, note))),
    progress(job),
    h("td", { class: "number" }, job.rows_with_findings ?? "–"),
    h("td", { class: "number" }, job.rows_failed ?? 0),
    h("td", { class: "row-acts" },
      job.downloads.map((name) => h("a", { href: address(`/v1/jobs/${job.id}/${name}`),
        download: true }, DOWNLOADS[name](job))),
      h("button", { type: "button", class: "small", click: () => remove(job) },
        active(job) ? "取消" : "删除")));
}

function draw() {
  const focused = document.activeElement?.closest("tr")?.id;
  fill($("jobs"), jobs.map(row));
  if (focused) $(focused)?.querySelector("button")?.focus();
  $("none").hidden = jobs.length > 0;
  $("more").hidden = !next;
}

async function load() {
  clearTimeout(timer);
  try {
    const answer = await get("/v1/jobs?limit=20");
    const older = jobs.filter((job) => !answer.results.some((one) => one.id === job.id)
      && job.created_at < (answer.results.at(-1)?.created_at ?? ""));
    if (!older.length) next = answer.next;
    tellEnded(answer.results);
    jobs = [...answer.results, ...older];
    draw();
  } catch (error) {
    say(`无法读取任务：${error.message}`, "warning");
  }
  if (jobs.some(active)) timer = setTimeout(load, EVERY);
}

/** Say which of the jobs on the page have ended since they were last drawn. */
function tellEnded(now) {
  const ended = now.filter((job) => !active(job)
    && jobs.some((one) => one.id === job.id && active(one)));
  if (ended.length) say(ended.map((job) => `${KINDS[job.kind]} ${job.id} ${STATES[job.state]}`).join("；"));
}

async function more() {
  const answer = await get(`/v1/jobs?limit=20&before=${encodeURIComponent(next)}`);
  jobs = [...jobs, ...answer.results];
  next = answer.next;
  draw();
}

async function remove(job) {
  const word = active(job) ? "取消" : "删除";
  if (!active(job) && !confirm(`删除任务 ${job.id} 及其文件？`)) return;
  try {
    await call("DELETE", `/v1/jobs/${job.id}`);
    say(`已${word} ${job.id}`);
    if (!active(job)) jobs = jobs.filter((one) => one !== job);
  } catch (error) {
    say(error.message, "warning");
  }
  load();
}

/** XMLHttpRequest tells how much of the file has gone, which fetch does not. */
function send(form) {
  const fields = new FormData(form);
  const columns = (fields.get("map") ?? "").split(/[;；\n]/).map((one) => one.trim());
  fields.delete("map");
  columns.filter(Boolean).forEach((one) => fields.append("map", one));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address("/v1/jobs"));
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      $("sent").hidden = false;
      $("sent").max = event.total;
      $("sent").value = event.loaded;
    };
    request.onload = () => (request.status < 300 ? resolve(request.response)
      : reject(new Refusal(request.status, request.response?.error ?? { message: "上传失败" })));
    request.onerror = () => reject(new Refusal(0, { message: "连接不上服务器" }));
    request.send(fields);
  });
}

/** Show and send only what the chosen kind of job knows. */
function offer() {
  const kind = $("upload").elements.kind.value;
  for (const part of $("upload").querySelectorAll("[data-only]")) {
    const other = part.dataset.only !== kind;
    part.hidden = other;
    for (const field of [part, ...part.querySelectorAll("input")]) field.disabled = other;
  }
  if ($("format").selectedOptions[0].disabled) $("format").value = "xlsx";
}

$("upload").addEventListener("change", offer);
$("upload").addEventListener("reset", () => setTimeout(offer));
$("upload").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const size = ["file", "template"].reduce((sum, name) => sum
    + (form.elements[name].disabled ? 0 : form.elements[name].files[0]?.size ?? 0), 0);
  if (size > Number(form.dataset.maxUpload)) {
    say(`文件超过 ${Math.floor(form.dataset.maxUpload / 2 ** 20)} MB,请拆分后分别提交`, "warning");
    return;
  }
  $("submit").disabled = true;
  say("正在上传…");
  try {
    const job = await send(form);
    say(`已提交 ${job.id}`);
    form.reset();
  } catch (error) {
    say(`未能提交：${error.message}`, "warning");
  } finally {
    $("submit").disabled = false;
    $("sent").hidden = true;
    load();
  }
});
offer();
$("more").addEventListener("click", () => more().catch((error) => say(error.message, "warning")));
load();
