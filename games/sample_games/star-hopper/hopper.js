// Star Hopper: hop over the gaps, collect stars. Space, click or tap; once more in the air for a second hop.
"use strict";

const canvas = document.getElementById("sky");
const pen = canvas.getContext("2d");
const GROUND = 360;
let hopper, platforms, stars, score, over;

function restart() {
  hopper = { y: GROUND - 40, up: 0, hops: 0 };
  platforms = [{ x: 0, width: 700 }];
  stars = [];
  score = 0;
  over = false;
  showBest();
}

function showBest() {
  const best = scores.read();
  document.getElementById("best").textContent = best === null ? "Scores cannot be kept here" : `Best: ${best}`;
}

function hop() {
  if (over) return restart();
  if (hopper.hops < 2) {
    hopper.up = -560;
    hopper.hops += 1;
  }
}

function extend() {
  const last = platforms[platforms.length - 1];
  if (last.x + last.width > 900) return;
  const gap = 90 + Math.random() * 110;
  const next = { x: last.x + last.width + gap, width: 180 + Math.random() * 260 };
  platforms.push(next);
  stars.push({ x: next.x - gap / 2, y: GROUND - 130 }, { x: next.x + next.width / 2, y: GROUND - 60 });
}

function step(seconds) {
  if (over) return;
  const moved = (260 + score * 6) * seconds;
  for (const each of [...platforms, ...stars]) each.x -= moved;
  platforms = platforms.filter((each) => each.x + each.width > -50);
  extend();
  hopper.up += 1500 * seconds;
  const before = hopper.y;
  hopper.y += hopper.up * seconds;
  const above = platforms.some((each) => each.x < 150 && each.x + each.width > 120);
  if (above && before <= GROUND - 40 && hopper.y >= GROUND - 40) Object.assign(hopper, { y: GROUND - 40, up: 0, hops: 0 });
  const caught = stars.filter((each) => Math.hypot(each.x - 135, each.y - hopper.y - 20) < 38);
  stars = stars.filter((each) => each.x > -30 && !caught.includes(each));
  score += caught.length;
  if (hopper.y > 520) {
    over = true;
    scores.keep(score);
    showBest();
  }
  document.getElementById("score").textContent = score;
}

function star(x, y, size) {
  pen.beginPath();
  for (let i = 0; i < 10; i++) {
    const far = i % 2 ? size / 2.3 : size;
    pen.lineTo(x + far * Math.sin((i * Math.PI) / 5), y - far * Math.cos((i * Math.PI) / 5));
  }
  pen.fill();
}

function draw() {
  const night = pen.createLinearGradient(0, 0, 0, 450);
  night.addColorStop(0, "#1b2a6b");
  night.addColorStop(1, "#e07a5f");
  pen.fillStyle = night;
  pen.fillRect(0, 0, 800, 450);
  pen.fillStyle = "#ffffff66";
  for (let i = 0; i < 40; i++) pen.fillRect((i * 211) % 800, (i * 97) % 260, 2, 2);
  pen.fillStyle = "#2d1e4f";
  for (const each of platforms) pen.fillRect(each.x, GROUND, each.width, 100);
  pen.fillStyle = "#81b29a";
  for (const each of platforms) pen.fillRect(each.x, GROUND, each.width, 12);
  pen.fillStyle = "#ffd166";
  for (const each of stars) star(each.x, each.y, 15);
  pen.fillStyle = "#f4f1de";
  pen.beginPath();
  pen.roundRect(115, hopper.y, 40, 40, 10);
  pen.fill();
  pen.fillStyle = "#1b2a6b";
  pen.fillRect(138, hopper.y + 11, 6, 9);
  if (over) {
    pen.fillStyle = "#fff";
    pen.font = "700 30px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillText("Press space or tap to hop again", 400, 200);
  }
}

let last = performance.now();
function frame(now) {
  step(Math.min(0.04, (now - last) / 1000));
  last = now;
  draw();
  requestAnimationFrame(frame);
}

addEventListener("keydown", (event) => event.key === " " && !event.repeat && hop());
canvas.addEventListener("pointerdown", hop);
restart();
requestAnimationFrame(frame);
