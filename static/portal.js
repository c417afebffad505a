// Comfort only: every page does its work with this file blocked.
(() => {
  "use strict";
  const line = () => document.getElementById("said");
  const say = (text) => {
    const place = line();
    if (!place) return;
    place.textContent = "";
    setTimeout(() => { place.textContent = text; }, 50);
  };

  // Copy buttons: the text stands in another element, without what the page only decorates it with.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    const label = button.querySelector("span");
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(source.dataset.raw || source.textContent.trim());
      label.textContent = "Copied";
    } catch {
      label.textContent = "Not copied: select the text";
    }
    say(label.textContent);
    setTimeout(() => { label.textContent = before; }, 1500);
  });

  // One press is one request. Enabled again when the browser brings the page back.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    setTimeout(() => {
      event.target.querySelectorAll("button:not([type=button])").forEach((button) => { button.disabled = true; });
    });
  });
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[method=post] button:disabled").forEach((button) => { button.disabled = false; });
  });

  // Selecting rows: the box in the head selects this page only; "all matching" is a button of its own.
  const boxesOf = (all) => [...all.closest("table").querySelectorAll("tbody input[type=checkbox]")];
  const recount = (all) => {
    const boxes = boxesOf(all);
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    boxes.forEach((box) => box.closest("tr").classList.toggle("on", box.checked));
    const count = document.querySelector("[data-count]");
    if (count && !("matching" in count.dataset)) count.textContent = `${chosen} selected on this page`;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      boxesOf(event.target).forEach((box) => { box.checked = event.target.checked; });
      recount(event.target);
    } else if (event.target.matches("tbody input[type=checkbox]")) {
      const all = event.target.closest("table").querySelector("[data-all]");
      if (all) recount(all);
    }
  });

  // The log follows its end only while the reader is there; scrolling up lets go.
  const log = document.getElementById("log");
  const follow = document.querySelector("[data-follow]");
  let top = 0;
  const toEnd = (frames = 5) => {
    if (!log || !follow || !follow.checked) return;
    log.scrollTop = log.scrollHeight;
    top = log.scrollTop;
    // Chunks get their real height only once they are in sight; then the end is somewhere else.
    if (frames) requestAnimationFrame(() => toEnd(frames - 1));
  };
  if (log && follow) {
    if (location.hash.startsWith("#L")) follow.checked = false;
    toEnd();
    follow.addEventListener("change", () => toEnd());
    log.addEventListener("scroll", () => {
      if (log.scrollTop < top - 4) follow.checked = false;
      else if (log.scrollHeight - log.scrollTop - log.clientHeight < 24) follow.checked = true;
      top = log.scrollTop;
    }, { passive: true });
  }

  // Polling: rests while nobody looks, tells when the portal does not answer, says a step's change once.
  const first = document.querySelector("[data-say]");
  let said = first ? first.dataset.say : "", saidAt = 0;
  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = event.detail.elt.matches("[data-polls]");
    if (polls && document.hidden) event.preventDefault();
    else if (!polls) event.detail.target.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:sendError", () => { document.body.dataset.connection = "lost"; });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) delete document.body.dataset.connection;
    event.detail.target.removeAttribute("aria-busy");
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    toEnd();
    const news = document.querySelector("[data-say]");
    if (news && news.dataset.say !== said && Date.now() - saidAt > 10000) {
      said = news.dataset.say;
      saidAt = Date.now();
      say(said);
    }
    // After paging or filtering the reader stands at the results, and hears how many there are.
    if (event.detail.target.id === "results") {
      const heading = document.getElementById("results-heading");
      if (heading) { heading.focus(); say(heading.textContent.trim()); }
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open], details.person[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.person[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
})();
