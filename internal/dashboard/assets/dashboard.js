// What pages gain where scripts run. Every page works without it.
"use strict";

// part fetches a page and puts its element of an ID in the place of ours.
async function part(id, address, options) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(id);
  const stale = document.getElementById(id);
  if (!fresh || !stale) return false;
  stale.replaceWith(document.adoptNode(fresh));
  decorate(document.getElementById(id));
  return true;
}

// later runs fn when nobody has called for a while.
function later(fn) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), 300);
  };
}

// decorate adds a copy button to each text that is there to be copied.
function decorate(root) {
  for (const text of root.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard || text.nextElementSibling?.classList.contains("copy")) continue;
    if (text.tagName === "PRE") {
      const around = document.createElement("div");
      around.className = "copyable";
      text.replaceWith(around);
      around.append(text);
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    text.after(button);
  }
}

// A filter shows its list as soon as it changes, and keeps the address right.
for (const form of document.querySelectorAll("form[data-filter]")) {
  const show = async () => {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    const address = `${form.getAttribute("action")}?${query}`;
    try {
      if (await part(form.dataset.filter, address)) return history.replaceState(null, "", address);
    } catch {
      // The server cannot be reached: the browser says so best.
    }
    location.assign(address);
  };
  form.addEventListener("change", (event) => event.target.tagName === "SELECT" && show());
}

// A preview follows what is typed.
for (const button of document.querySelectorAll("button[data-live]")) {
  const show = (event) => {
    event?.preventDefault();
    return part(button.dataset.live, button.formAction, { method: "POST", body: new FormData(button.form) }).catch(() => {});
  };
  button.addEventListener("click", show);
  button.form.addEventListener("input", later(() => show()));
}

// Of the menus and questions one is open at a time, and Escape closes it.
const popups = () => document.querySelectorAll("details.confirm[open], details.switch[open]");
document.addEventListener("click", (event) => {
  for (const open of popups()) if (!open.contains(event.target)) open.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of popups()) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

decorate(document);
