"use strict";

// Pictures that are dropped are scored a few at a time, and stand in the order of their scores.

const results = document.getElementById("results");
const waiting = [];
const items = [];
let active = 0;
// The server takes turns among requests; more at once would only wait there.
const mostActive = 3;

function add(files) {
  for (const file of files) {
    const item = { file, place: items.length, score: null, text: "", error: null };
    item.element = document.createElement("li");
    const card = document.createElement("div");
    card.className = "tried";
    const image = document.createElement("img");
    image.alt = file.name;
    image.src = URL.createObjectURL(file);
    const caption = document.createElement("div");
    caption.className = "caption";
    item.value = document.createElement("b");
    item.value.textContent = "…";
    const name = document.createElement("span");
    name.textContent = file.name;
    caption.append(item.value, name);
    item.bars = document.createElement("div");
    card.append(image, caption, item.bars);
    item.element.append(card);
    results.append(item.element);
    items.push(item);
    waiting.push(item);
  }
  update();
  work();
}

async function work() {
  while (active < mostActive && waiting.length > 0) {
    const item = waiting.shift();
    active += 1;
    score(item).finally(() => {
      active -= 1;
      update();
      work();
    });
  }
}

async function score(item) {
  const form = new FormData();
  form.append("file", item.file, item.file.name);
  const question = document.getElementById("question").value.trim();
  if (question) form.append("question", question);
  try {
    const answer = await fetch("/v1/score", { method: "POST", body: form });
    if (answer.status === 429 || answer.status === 503) {
      const seconds = Number(answer.headers.get("Retry-After")) || 1;
      await new Promise((done) => setTimeout(done, 1000 * seconds));
      // It may have been cleared away meanwhile.
      if (items.includes(item)) waiting.push(item);
      return;
    }
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.error.message);
    if (result.error) throw new Error(result.error.message);
    item.score = result.score;
    item.text = result.text;
    item.value.textContent = result.score.toFixed(3);
    item.value.title = result.text;
    item.bars.replaceChildren(bars(result.distribution));
  } catch (error) {
    item.error = error.message;
    item.value.textContent = "no score";
    item.value.className = "bad";
    const reason = document.createElement("p");
    reason.className = "bad reason";
    reason.textContent = error.message;
    item.bars.replaceChildren(reason);
  }
}

// The predicted distribution, one bar a score token.
function bars(distribution) {
  const space = "http://www.w3.org/2000/svg";
  const figure = document.createElementNS(space, "svg");
  figure.setAttribute("viewBox", "0 0 200 50");
  figure.setAttribute("class", "bars");
  figure.setAttribute("role", "img");
  figure.setAttribute("aria-label", "Predicted distribution");
  const most = Math.max(...distribution, 1e-9);
  const step = 200 / distribution.length;
  distribution.forEach((value, place) => {
    const bar = document.createElementNS(space, "rect");
    const height = (48 * value) / most;
    bar.setAttribute("class", "predicted");
    bar.setAttribute("x", place * step + 0.1 * step);
    bar.setAttribute("y", 50 - height);
    bar.setAttribute("width", 0.8 * step);
    bar.setAttribute("height", height);
    const title = document.createElementNS(space, "title");
    title.textContent = value.toFixed(4);
    bar.append(title);
    figure.append(bar);
  });
  return figure;
}

function update() {
  const order = document.getElementById("order").value;
  const sorted = [...items].sort((a, b) => {
    if (order === "sent") return a.place - b.place;
    // What has no score comes last.
    if (a.score === null || b.score === null) return (a.score === null) - (b.score === null) || a.place - b.place;
    return order === "best" ? b.score - a.score : a.score - b.score;
  });
  sorted.forEach((item, place) => {
    if (results.children[place] !== item.element) results.insertBefore(item.element, results.children[place] ?? null);
  });
  const done = items.filter((item) => item.score !== null).length;
  const failed = items.filter((item) => item.error !== null).length;
  document.getElementById("count").textContent = items.length === 0 ? "" :
    `${done} of ${items.length} scored${failed > 0 ? `, ${failed} without a score` : ""}`;
  document.getElementById("download").disabled = done === 0;
  document.getElementById("clear").disabled = items.length === 0;
}

function csv(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download() {
  const lines = items.map((item) =>
    [csv(item.file.name), item.score ?? "", csv(item.text ?? ""), csv(item.error ?? "")].join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(
    new Blob([["image,score,text,error", ...lines].join("\n") + "\n"], { type: "text/csv" }));
  link.download = "scores.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

function clear() {
  waiting.length = 0;
  for (const item of items) URL.revokeObjectURL(item.element.querySelector("img").src);
  items.length = 0;
  results.replaceChildren();
  update();
}

const drop = document.getElementById("drop");
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.remove("over");
  });
}
drop.addEventListener("drop", (event) => add(event.dataTransfer.files));
document.getElementById("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
document.getElementById("order").addEventListener("change", update);
document.getElementById("download").addEventListener("click", download);
document.getElementById("clear").addEventListener("click", clear);
document.getElementById("asked").addEventListener("submit", (event) => event.preventDefault());
