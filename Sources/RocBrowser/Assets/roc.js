"use strict";

// Galleries grow while they are scrolled; without this script a link leads to the next pictures.
function growGallery() {
  const gallery = document.querySelector(".gallery[data-grows]");
  let more = document.querySelector(".more a");
  if (!gallery || !more) return;
  let busy = false;
  const observer = new IntersectionObserver(async (entries) => {
    if (busy || !entries.some((entry) => entry.isIntersecting)) return;
    busy = true;
    try {
      const answer = await fetch(more.href, { headers: { "X-Roc-Part": "gallery" } });
      if (!answer.ok) throw new Error(answer.statusText);
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      gallery.append(...part.querySelectorAll(".gallery > li"));
      const next = part.querySelector(".more a");
      if (next) {
        more.href = next.href;
        observer.unobserve(more);
        observer.observe(more);
      } else {
        observer.disconnect();
        more.parentElement.remove();
      }
    } catch {
      // The link stays and can be followed by hand.
      observer.disconnect();
    }
    busy = false;
  }, { rootMargin: "800px" });
  observer.observe(more);
}

// Arrow keys turn pages; the slash goes to the search field.
function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    if (rel) document.querySelector(`a[rel="${rel}"]`)?.click();
    if (event.key === "/") {
      const field = document.querySelector("input[type=search]");
      if (field) {
        event.preventDefault();
        field.focus();
      }
    }
  });
}

// A choice is an answer: the form is sent as soon as it is made.
function sendChoices() {
  for (const form of document.querySelectorAll("form.filter")) {
    form.addEventListener("change", (event) => {
      if (event.target.matches("select")) form.requestSubmit();
    });
  }
}

growGallery();
listenToKeys();
sendChoices();
