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
      const answer = await fetch(more.href);
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
    if (rel) document.querySelector(`.pager a[rel="${rel}"]`)?.click();
    if (event.key === "/") {
      const field = document.querySelector("input[type=search]");
      if (field) {
        event.preventDefault();
        field.focus();
      }
    }
  });
}

growGallery();
listenToKeys();

// Figures whose points are pictures: a canvas over the same axes, one point a picture.
async function drawPoints(figure) {
  const answer = await fetch(figure.dataset.points);
  if (!answer.ok) return;
  const { low, high, points } = await answer.json();
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  const side = 420;
  const margin = 34;
  canvas.width = canvas.height = side * ratio;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Prediction against ground truth; the worst misses below are links");
  const ends = points.flatMap((point) => [point[1], point[2]]);
  const from = Math.min(low, ...minimum(ends));
  const to = Math.max(high, ...maximum(ends));
  const place = (value) => margin + ((value - from) / (to - from)) * (side - 2 * margin);
  const x = (point) => place(point[1]);
  const y = (point) => side - place(point[2]);
  const line = leastSquares(points);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const paint = (chosen) => {
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, side, side);
    pen.strokeStyle = color("--line");
    pen.fillStyle = color("--soft");
    pen.font = "11px system-ui, sans-serif";
    for (const { value, text } of ticks(from, to)) {
      pen.beginPath();
      pen.moveTo(place(value), side - margin);
      pen.lineTo(place(value), margin);
      pen.moveTo(margin, side - place(value));
      pen.lineTo(side - margin, side - place(value));
      pen.stroke();
      pen.textAlign = "center";
      pen.fillText(text, place(value), side - margin + 14);
      pen.textAlign = "right";
      pen.fillText(text, margin - 4, side - place(value) + 4);
    }
    pen.textAlign = "center";
    pen.fillText("ground truth", side / 2, side - 4);
    pen.save();
    pen.rotate(-Math.PI / 2);
    pen.fillText("prediction", -side / 2, 10);
    pen.restore();
    pen.strokeStyle = color("--soft");
    pen.setLineDash([4, 4]);
    pen.beginPath();
    pen.moveTo(place(from), side - place(from));
    pen.lineTo(place(to), side - place(to));
    pen.stroke();
    pen.setLineDash([]);
    if (line) {
      pen.strokeStyle = color("--other");
      pen.beginPath();
      pen.moveTo(place(line.from[0]), side - place(line.from[1]));
      pen.lineTo(place(line.to[0]), side - place(line.to[1]));
      pen.stroke();
    }
    pen.fillStyle = color("--accent");
    pen.globalAlpha = points.length > 3000 ? 0.2 : 0.45;
    for (const point of points) {
      pen.beginPath();
      pen.arc(x(point), y(point), 2.2, 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
    if (chosen) {
      pen.fillStyle = color("--other");
      pen.beginPath();
      pen.arc(x(chosen), y(chosen), 5, 0, 7);
      pen.fill();
      const text = `${chosen[2].toFixed(3)} for ${chosen[1].toFixed(3)}`;
      pen.textAlign = x(chosen) > side / 2 ? "right" : "left";
      pen.fillStyle = color("--fg");
      pen.fillText(text, x(chosen) + (x(chosen) > side / 2 ? -9 : 9), y(chosen) - 8);
    }
  };
  const nearest = (event) => {
    const box = canvas.getBoundingClientRect();
    const left = ((event.clientX - box.left) * side) / box.width;
    const top = ((event.clientY - box.top) * side) / box.height;
    let best = null;
    let distance = 12 * 12;
    for (const point of points) {
      const own = (x(point) - left) ** 2 + (y(point) - top) ** 2;
      if (own < distance) [best, distance] = [point, own];
    }
    return best;
  };
  canvas.addEventListener("mousemove", (event) => {
    const point = nearest(event);
    canvas.classList.toggle("over", point !== null);
    paint(point);
  });
  canvas.addEventListener("mouseleave", () => paint(null));
  canvas.addEventListener("click", (event) => {
    const point = nearest(event);
    if (point) window.location.href = `/pictures/${point[0]}`;
  });
  figure.classList.add("scatter");
  figure.querySelector("img").replaceWith(canvas);
  paint(null);
}

// Round numbers between two values, at most ten of them.
function ticks(from, to) {
  const raw = (to - from) / 9;
  if (!(raw > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw * 0.999);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const result = [];
  for (let count = Math.ceil(from / step - 1e-9); count * step <= to + 1e-9 * step; count += 1) {
    result.push({ value: count * step, text: (count * step).toFixed(decimals) });
  }
  return result;
}

// The line of predictions over ground truth, from its least to its largest value.
function leastSquares(points) {
  const mean = (place) => points.reduce((sum, point) => sum + point[place], 0) / points.length;
  const [x, y] = [mean(1), mean(2)];
  const xx = points.reduce((sum, point) => sum + (point[1] - x) ** 2, 0);
  if (!(xx > 0)) return null;
  const slope = points.reduce((sum, point) => sum + (point[1] - x) * (point[2] - y), 0) / xx;
  const truths = points.map((point) => point[1]);
  const at = (value) => [value, y + slope * (value - x)];
  return { from: at(minimum(truths)[0]), to: at(maximum(truths)[0]) };
}

// Arguments of a function are limited in number, and points are not.
function minimum(values) {
  return values.length ? [values.reduce((a, b) => Math.min(a, b))] : [];
}

function maximum(values) {
  return values.length ? [values.reduce((a, b) => Math.max(a, b))] : [];
}

// A run that is being scored says how far it is.
function duration(seconds) {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function followProgress(line) {
  const events = new EventSource(line.dataset.progress);
  const digits = new Intl.NumberFormat("en");
  events.addEventListener("message", (event) => {
    const run = JSON.parse(event.data);
    const parts = ["part" in run
      ? `${digits.format(run.part_scored)} of the ${digits.format(run.part_pictures)} pictures of ${run.part}`
      : `${digits.format(run.scored)} pictures so far`];
    if (run.failed > 0) parts.push(`${digits.format(run.failed)} failed`);
    if (run.pace > 0) parts.push(`${run.pace.toFixed(run.pace < 1 ? 2 : 1)} a second`);
    if (run.seconds_left > 0) parts.push(`${duration(run.seconds_left)} left`);
    line.textContent = `This run is being scored: ${parts.join(", ")}.`;
  });
  events.addEventListener("end", () => {
    events.close();
    line.textContent += " Nobody is working on it now; load the page again for its results.";
  });
}

// What is not ready yet is asked for again.
if (document.querySelector("[data-waits]")) setTimeout(() => window.location.reload(), 2000);
for (const figure of document.querySelectorAll("figure[data-points]")) drawPoints(figure);
for (const line of document.querySelectorAll("[data-progress]")) followProgress(line);
