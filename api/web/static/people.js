// The new key can be copied, and acts that cannot be taken back are asked about first.

const key = document.getElementById("new-key");
document.getElementById("copy")?.addEventListener("click", async (event) => {
  try {
    await navigator.clipboard.writeText(key.value);
    event.target.textContent = "已复制";
  } catch {
    key.select();
  }
});
for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.ask)) event.preventDefault();
  });
}
