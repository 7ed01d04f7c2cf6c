// Bell Garden: the bells ring, you ring them in the same order; one more each time. Mouse, touch, or keys 1 to 6.
import { ring, wake, wrong } from "./sound.js";

const COLOURS = ["#ff6b6b", "#ffd166", "#06d6a0", "#4cc9f0", "#b388ff", "#ff8fab"];
const says = document.getElementById("says");
const start = document.getElementById("start");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
let song = [];
let at = -1; // which bell is expected next; -1 while nobody plays

const bells = COLOURS.map((colour, index) => {
  const bell = document.createElement("button");
  bell.type = "button";
  bell.textContent = index + 1;
  bell.style.setProperty("--colour", colour);
  bell.addEventListener("click", () => answer(index));
  document.getElementById("bells").append(bell);
  return bell;
});

async function show(index, ms = 320) {
  ring(index);
  bells[index].dataset.rings = "";
  await pause(ms);
  delete bells[index].dataset.rings;
}

async function nextRound() {
  at = -1;
  song.push(Math.floor(Math.random() * bells.length));
  says.textContent = `Listen: ${song.length} ${song.length === 1 ? "bell" : "bells"}.`;
  await pause(600);
  for (const index of song) {
    await show(index);
    await pause(120);
  }
  says.textContent = "Your turn.";
  at = 0;
}

async function answer(index) {
  if (at < 0) return;
  const right = song[at] === index;
  at = right ? at + 1 : -1;
  if (!right) {
    wrong();
    says.textContent = `That was ${song.length - 1} in a row. Again?`;
    start.hidden = false;
    return;
  }
  const whole = at === song.length;
  if (whole) at = -1;
  await show(index, 200);
  if (whole) nextRound();
}

start.addEventListener("click", async () => {
  await wake();
  start.hidden = true;
  song = [];
  nextRound();
});
addEventListener("keydown", (event) => bells[Number(event.key) - 1]?.click());
