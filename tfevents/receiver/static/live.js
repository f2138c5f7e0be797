// Keeps a page up to date: reloads its content when the server announces a newer event.
"use strict";

const sign = document.getElementById("live");
let busy = false;
let latest = 0;

function isBehind() {
  const content = document.getElementById("content");
  return content.dataset.live === "yes" && latest > Number(content.dataset.seq);
}

// Replaces the content shown with that of `html`; focus and expanded parts are kept. Returns false,
// and changes nothing, while a form field has the focus or if `html` has no content.
function replaceContent(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("content");
  const shown = document.getElementById("content");
  const typing = shown.querySelector("input:focus, select:focus");
  if (!fresh || typing) return false;
  const seen = new Set(Array.from(shown.querySelectorAll("[id]"), (one) => one.id));
  const focused = document.activeElement && document.activeElement.id;
  for (const part of fresh.querySelectorAll("details")) {
    const before = document.getElementById(part.id);
    if (before) part.open = before.open;
  }
  for (const row of fresh.querySelectorAll(".run")) {
    const name = row.querySelector("[id]");
    if (name && !seen.has(name.id)) row.classList.add("fresh");
  }
  shown.replaceWith(fresh);
  if (focused && seen.has(focused)) document.getElementById(focused)?.focus({ preventScroll: true });
  return true;
}

async function refresh() {
  if (busy || !isBehind()) return;
  busy = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.ok && replaceContent(await answer.text())) sign.textContent = "live";
  } finally {
    busy = false;
    if (isBehind()) setTimeout(refresh, 1000);
  }
}

const source = new EventSource("/live");
source.onopen = () => {
  sign.hidden = document.getElementById("content").dataset.live !== "yes";
  sign.textContent = "live";
};
source.onmessage = (message) => {
  latest = Number(message.data);
  refresh();
};
source.onerror = () => {
  sign.textContent = "not connected";
};
addEventListener("pagehide", () => source.close());
