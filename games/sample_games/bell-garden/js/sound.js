// The sounds: one recorded bell, played at six pitches, and a buzz made by an oscillator.
const STEPS = [0, 2, 4, 7, 9, 12];
let context;
let bell;

// Browsers allow sound only after somebody pressed something.
export async function wake() {
  if (context) return;
  context = new AudioContext();
  const answer = await fetch(new URL("../sounds/bell.wav", import.meta.url));
  bell = await context.decodeAudioData(await answer.arrayBuffer());
}

export function ring(index) {
  if (!bell) return;
  const source = context.createBufferSource();
  source.buffer = bell;
  source.playbackRate.value = 2 ** (STEPS[index] / 12);
  source.connect(context.destination);
  source.start();
}

export function wrong() {
  if (!context) return;
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.type = "sawtooth";
  tone.frequency.value = 110;
  volume.gain.setValueAtTime(0.2, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.5);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.5);
}
