// Comforts on top of pages that read without them: theme, copying, lineage highlights, live updates.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

  for (const button of all("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
      root.dataset.theme = next;
      document.cookie = `mesh_theme=${next}; path=/; max-age=31536000; samesite=lax`;
    });
  }

  // `mesh up` prints the address with the token behind a #, which browsers never send: sign in with it.
  const token = document.getElementById("token");
  if (token && location.hash.length > 1) {
    token.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname + location.search);
    token.form.requestSubmit();
  }

  const search = document.getElementById("q");
  const apple = /Mac|iP/.test(navigator.platform);
  for (const hint of all("[data-shortcut]")) {
    hint.textContent = apple ? "⌘ K" : "Ctrl K";
    hint.hidden = false;
  }
  addEventListener("keydown", (event) => {
    if (event.key === "k" && (apple ? event.metaKey : event.ctrlKey) && search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  // Listeners sit on the document, so that what a live update brings in works too.
  const dress = () => { for (const button of all("[data-copy]")) button.hidden = !navigator.clipboard; };
  dress();
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const word = button.querySelector("[data-copy-text]");
    try {
      await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
      word.textContent = "Copied";
    } catch {
      word.textContent = "Not allowed";
    }
    setTimeout(() => { word.textContent = "Copy"; }, 1600);
  });

  const light = (event) => {
    const node = event.target.closest && event.target.closest("[data-node]");
    const id = node && /over|in$/.test(event.type) ? node.dataset.node : null;
    for (const edge of all(".g-edge")) edge.classList.toggle("lit", id !== null && (edge.dataset.from === id || edge.dataset.to === id));
  };
  for (const type of ["pointerover", "pointerout", "focusin", "focusout"]) document.addEventListener(type, light);

  const marks = new Map(all("[data-toc] a").map((link) => [link.hash.slice(1), link]));
  if (marks.size) {
    const headings = [...marks.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const follow = () => {
      const past = headings.filter((heading) => heading.getBoundingClientRect().top < 140);
      const here = (past.at(-1) || headings[0]).id;
      for (const [id, link] of marks) id === here ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    };
    addEventListener("scroll", () => requestAnimationFrame(follow), { passive: true });
    follow();
  }

  const watched = document.body.dataset.watch.split(/\s+/).filter(Boolean);
  const note = document.querySelector("[data-live]");
  if (!watched.length || !window.EventSource) return;
  const text = note.querySelector("[data-live-text]");
  const pause = note.querySelector("[data-live-pause]");
  let source = null;
  let waiting = false;
  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    waiting = false;
    if (!answer || !answer.ok || !source) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of all("[data-region]")) {
      const now = fresh.getElementById(old.id);
      // What somebody is using is left alone until the next update.
      if (now && now.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) old.replaceChildren(...now.childNodes);
    }
    dress();
  };
  const listen = () => {
    source = new EventSource("/live");
    source.onopen = () => { note.hidden = false; text.textContent = "Live"; };
    source.onerror = () => { text.textContent = "Not connected"; };
    source.onmessage = (event) => {
      if (waiting || !(watched.includes("*") || watched.includes(event.data))) return;
      waiting = true;
      setTimeout(refresh, 1000);
    };
  };
  pause.addEventListener("click", () => {
    const stopped = source !== null;
    if (stopped) { source.close(); source = null; text.textContent = "Paused"; } else listen();
    pause.setAttribute("aria-pressed", String(stopped));
    note.classList.toggle("paused", stopped);
  });
  listen();
  addEventListener("pagehide", () => source && source.close());
})();
