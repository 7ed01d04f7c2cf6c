"""What kind of file a name of a game means. A table of our own: what a machine's `mimetypes` says about the names of
strangers differs from one machine to the next.
"""

UNKNOWN = "application/octet-stream"
_UTF8 = "; charset=utf-8"
TYPES = {
    "html": "text/html" + _UTF8,
    "htm": "text/html" + _UTF8,
    "css": "text/css" + _UTF8,
    "js": "text/javascript" + _UTF8,
    "mjs": "text/javascript" + _UTF8,
    "cjs": "text/javascript" + _UTF8,
    "json": "application/json",
    "map": "application/json",
    "webmanifest": "application/manifest+json",
    "xml": "text/xml" + _UTF8,
    "txt": "text/plain" + _UTF8,
    "md": "text/plain" + _UTF8,
    "csv": "text/csv" + _UTF8,
    "glsl": "text/plain" + _UTF8,
    "vert": "text/plain" + _UTF8,
    "frag": "text/plain" + _UTF8,
    "fnt": "text/plain" + _UTF8,
    "atlas": "text/plain" + _UTF8,
    "vtt": "text/vtt" + _UTF8,
    "wasm": "application/wasm",
    "svg": "image/svg+xml",
    "png": "image/png",
    "apng": "image/apng",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "ico": "image/x-icon",
    "cur": "image/x-icon",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "weba": "audio/webm",
    "mid": "audio/midi",
    "midi": "audio/midi",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "webm": "video/webm",
    "ogv": "video/ogg",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "ttf": "font/ttf",
    "otf": "font/otf",
    "gltf": "model/gltf+json",
    "glb": "model/gltf-binary",
    "zip": "application/zip",
    "gz": "application/gzip",
    "pdf": "application/pdf",
}
_ENCODINGS = {"br": "br", "gz": "gzip"}
# what engines compress themselves and expect to arrive unpacked; other `.gz` files a game unpacks on its own.
# Unity's `.unityweb` is in neither table: its loader unpacks it when nobody else did.
_PACKED = (".js", ".wasm", ".data", ".symbols.json", ".pck")


def kind_of(path):
    """`(content type, content encoding or "")` of a file with this name."""
    name, _, ending = path.rpartition("/")[2].lower().rpartition(".")
    if ending in _ENCODINGS and name.endswith(_PACKED):
        return TYPES.get(name.rpartition(".")[2], UNKNOWN), _ENCODINGS[ending]
    return (TYPES.get(ending, UNKNOWN) if name else UNKNOWN), ""
