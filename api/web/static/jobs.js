// Files in, result files out: uploading, watching, downloading, cancelling.

import { Refusal, address, call, get } from "./api.js";
import { $, fill, h } from "./dom.js";

const EVERY = 2000;
const STATES = {
  queued: "排队中", running: "处理中", done: "已完成", failed: "失败", cancelled: "已取消",
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

function row(job) {
  const total = job.rows_total ?? 0;
  return h("tr", { id: job.id },
    h("td", {}, h("code", {}, job.id), h("small", {}, clock(job.created_at))),
    h("td", {}, STATES[job.state] ?? job.state,
      job.error && h("small", { class: "warning" }, job.error.message ?? String(job.error))),
    h("td", {}, h("progress", { max: total || 1, value: total ? job.rows_done : 0,
      "aria-label": `${job.id} 的进度` }),
      h("small", {}, `${job.rows_done ?? 0} / ${total || "?"} 行 `,
        active(job) && lasting(job.seconds_left))),
    h("td", { class: "number" }, job.rows_failed ?? 0),
    h("td", { class: "row-acts" },
      job.state === "done" && [
        h("a", { href: address(`/v1/jobs/${job.id}/result`), download: true },
          `下载结果（${job.format}）`),
        job.rows_failed > 0 &&
          h("a", { href: address(`/v1/jobs/${job.id}/rejects`), download: true }, "未赋码的行")],
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
    jobs = [...answer.results, ...older];
    draw();
  } catch (error) {
    say(`无法读取任务：${error.message}`, "warning");
  }
  if (jobs.some(active)) timer = setTimeout(load, EVERY);
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
    request.send(new FormData(form));
  });
}

$("upload").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget, file = form.elements.file.files[0];
  if (file.size > Number(form.dataset.maxUpload)) {
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
$("more").addEventListener("click", () => more().catch((error) => say(error.message, "warning")));
load();
