// Neon Drift: stay on the road, faster and faster. Arrow keys, A and D, or a finger.
"use strict";

const canvas = document.getElementById("road");
const pen = canvas.getContext("2d");
const held = new Set();
let width, height, car, barriers, distance, speed, over, finger;

function resize() {
  [width, height] = [canvas.width, canvas.height] = [innerWidth, innerHeight];
}

function restart() {
  car = { x: 0, tilt: 0 };
  [barriers, distance, speed, over] = [[], 0, 0.45, false];
}

// Where depth z (1 far, 0 near) and offset x (-1 to 1) are on the screen.
function project(x, z) {
  const near = 1 / (0.12 + Math.max(-0.01, z) * 2.4); // what is behind us would be upside down
  const bend = Math.sin(distance * 0.25) * z * z * width * 0.35;
  return { x: width / 2 + bend + x * near * width * 0.055, y: height * (0.36 + 0.075 * near), size: near };
}

function step(seconds) {
  if (over) return;
  const steer = (held.has("ArrowRight") || held.has("d") ? 1 : 0) - (held.has("ArrowLeft") || held.has("a") ? 1 : 0);
  const wish = finger === undefined ? steer : Math.max(-1, Math.min(1, (finger - width / 2) / (width / 4) - car.x));
  car.x += (wish * 2.2 - Math.cos(distance * 0.25) * speed * 0.3) * seconds;
  car.tilt += (wish - car.tilt) * Math.min(1, seconds * 8);
  speed = Math.min(1.3, speed + seconds * 0.012);
  distance += speed * seconds * 3;
  if (!barriers.length || barriers[barriers.length - 1].z < 0.62) {
    barriers.push({ x: Math.sin(distance * 7.3) * 0.8, z: 1 });
  }
  for (const each of barriers) each.z -= speed * seconds * 0.7;
  const hit = barriers.some((each) => each.z < 0.04 && each.z > -0.02 && Math.abs(each.x - car.x) < 0.34);
  barriers = barriers.filter((each) => each.z > -0.03);
  if (hit || Math.abs(car.x) > 1.25) over = true;
}

function fill(colour, ...points) {
  pen.fillStyle = colour;
  pen.beginPath();
  for (const each of points) pen.lineTo(each.x, each.y);
  pen.fill();
}

function shade(from, to, high, low) {
  const colours = pen.createLinearGradient(0, height * from, 0, height * to);
  colours.addColorStop(0, high);
  colours.addColorStop(1, low);
  return colours;
}

function sky() {
  pen.fillStyle = shade(0, 0.4, "#0a0618", "#5b1a6e");
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = shade(0.1, 0.4, "#ffd166", "#ff2e88");
  pen.beginPath();
  pen.arc(width / 2, height * 0.38, height * 0.22, Math.PI, 0);
  pen.fill();
  pen.fillStyle = "#12082b";
  pen.fillRect(0, height * 0.38, width, height);
}

function road() {
  for (let i = 24; i > 0; i--) {
    const far = i / 24 - ((distance * 2) % 2) / 24;
    const [a, b] = [project(-1.3, far), project(1.3, far)];
    const [c, d] = [project(1.3, far - 1 / 24), project(-1.3, far - 1 / 24)];
    fill(i % 2 ? "#1d1140" : "#231550", a, b, c, d);
    fill(i % 2 ? "#00e5ff" : "#ff2e88", a, { x: a.x - a.size * 5, y: a.y }, { x: d.x - d.size * 5, y: d.y }, d);
    fill(i % 2 ? "#00e5ff" : "#ff2e88", b, { x: b.x + b.size * 5, y: b.y }, { x: c.x + c.size * 5, y: c.y }, c);
  }
  for (const each of [...barriers].reverse()) {
    const at = project(each.x, Math.max(0, each.z));
    pen.fillStyle = "#ffd166";
    pen.fillRect(at.x - at.size * 14, at.y - at.size * 9, at.size * 28, at.size * 9);
  }
}

function vehicle() {
  const at = project(car.x, 0.02);
  const size = height / 9;
  pen.setTransform(1, car.tilt * 0.12, 0, 1, at.x, at.y);
  fill("#00e5ff", { x: -size * 0.9, y: 0 }, { x: -size * 0.5, y: -size * 0.5 }, { x: size * 0.5, y: -size * 0.5 }, { x: size * 0.9, y: 0 });
  fill("#0a0618", { x: -size * 0.4, y: -size * 0.2 }, { x: -size * 0.3, y: -size * 0.42 }, { x: size * 0.3, y: -size * 0.42 }, { x: size * 0.4, y: -size * 0.2 });
  pen.resetTransform();
}

function words() {
  pen.fillStyle = "#fff";
  pen.textAlign = "center";
  pen.font = `700 ${Math.round(height / 20)}px system-ui, sans-serif`;
  pen.fillText(`${Math.floor(distance * 50)} m`, width / 2, height / 13);
  if (over) pen.fillText("Off the road! Press space or tap.", width / 2, height / 2);
}

let last = performance.now();
function frame(now) {
  step(Math.min(0.05, (now - last) / 1000));
  last = now;
  sky();
  road();
  vehicle();
  words();
  requestAnimationFrame(frame);
}

addEventListener("resize", resize);
addEventListener("keydown", (event) => (over && event.key === " " ? restart() : held.add(event.key)));
addEventListener("keyup", (event) => held.delete(event.key));
addEventListener("pointerdown", (event) => (over ? restart() : (finger = event.clientX)));
addEventListener("pointermove", (event) => finger !== undefined && (finger = event.clientX));
addEventListener("pointerup", () => (finger = undefined));
resize();
restart();
requestAnimationFrame(frame);
