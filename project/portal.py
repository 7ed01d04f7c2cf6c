"""A believable portal, as rows: who plays, what they write, who spams, what was decided. Knows no database.

The same sizes, seed and moment make the same rows. What is large is planned in arrays and told row by row.
"""

import random
import uuid
from array import array
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate
from typing import NamedTuple

GAMES = (
    "Neon Drift 3|Pixel Pirates|Bubble Zapper HD|Skeleton Dash|Tower of Snacks|Gravity Golf|Moth & Lamp|Turbo Snail GP"
).split("|")
FIRST = (
    "kit ravi zap lumen pixel moss tiny salt echo juno neon bolt fern ash pip cleo orbit mango rook wren "
    "amber birch cobalt comet coral dune ember flint frost ginger hazel indigo jade jolt karma lark maple mint nova "
    "onyx opal pearl pixie quartz raven rusty sage scout shadow silver sky sonic storm sunny tango tiger topaz velvet"
).split()
LAST = (
    "fox 88 master mum _xx otter byte fan 2011 wizard gg panda _the_great noodle star pro cat 7 hunter bean "
    "badger biscuit bunny captain cheetah cookie dragon falcon gamer gecko ghost goblin hawk jester knight koala lynx "
    "mole monkey ninja owl penguin pickle pirate potato racer robot rocket shark sloth spider squid toad turtle viper"
).split()
OPENERS = (
    "Honestly|Ok so|Not gonna lie,|My little brother says|After two hours|Wow,|Hmm,|Finally,|Update:|Day 4:"
).split("|")
SUBJECTS = (
    "the last level|this boss fight|the music|the new map|the jump button|that snail skin|the tutorial|the leaderboard"
).split("|")
VERDICTS = (
    "is so good|is way too hard|made me laugh|needs a nerf|keeps lagging on my phone|is the best part"
    "|broke after the update|is stuck in my head"
).split("|")
TAILS = "|| 10/10| pls fix| anyone else?| :)| lol| (on tablet)| – still love it|!!| 🐌".split("|")
# from the most used down: the head of the vocabulary; its long tail is made of pairs of these
WORDS = (
    "the a to and i it is of you this game in my so that level for on but me have with not just was can play at good "
    "get like be all are no when one they its what if up out how too time do there very from more fun best please new "
    "best really add would make why first your never still only after love know need better then boss hard than she "
    "some played players second cant even back again could jump fix got score great way think hit thing easy dont coins "
    "map phone run cool speed awesome other update every find lag stuck ending music skin skins world win lose bug "
    "controls enemy hours secret door key puzzle star stars button character high record friend school brother sister "
    "mouse keyboard tablet mobile screen sound graphics story weapon sword shield bow arrow laser rocket car race drift "
    "track turbo brake engine wheel snail moth lamp tower snack bubble pirate ship treasure island skeleton bone dash "
    "gravity golf ball hole club putt neon pixel dragon castle king queen knight wizard spell magic potion health life "
    "lives extra double triple combo chain bonus daily quest mission reward chest gem gold silver bronze medal rank "
    "leaderboard global online offline multiplayer team clan chat voice server ping frame crash freeze reload save "
    "checkpoint respawn spawn camp sniper loot craft build block tile grid wall floor ceiling platform ladder rope swing "
    "climb slide crouch sprint dodge roll parry counter stun poison fire ice water wind earth thunder shadow light night "
    "day forest desert snow cave jungle city street roof garden farm kitchen space planet moon alien robot zombie ghost "
    "vampire monster slime bat rat spider snake bird fish shark whale cat dog horse cow pig sheep duck frog turtle rabbit "
    "fox wolf bear tiger lion monkey banana apple cherry lemon melon pepper cheese bread cake cookie candy pizza burger"
).split()
HEAD = list(dict.fromkeys(WORDS))
RUDE = (
    "you are trash at this, uninstall and go cry",
    "whoever made this level is an idiot",
    "shut up {name} nobody asked you, loser",
)
SPAM = (
    "FREE c0ins here >> http://{site}.example/?r={n} << works 100%!!",
    "Check out my channel for cheats and skins, sub 4 sub: {site}.example/u{n}",
    "get s\u200bk\u200bi\u200bn\u200bs with no ads, \u202eexe.xinaf\u202c at {site}.example/get",
    "I made $4,{n} last week from home, ask me how → {site}.example/start?id={n}",
)
SITES = ("freecoinz", "playtube", "fanix", "earnfast")
PERSONAL = "add me im 12 and live in elm street {n}, my number is 555 01{n}"
COMPLAINTS = (
    "spam again",
    "this is the 5th time today",
    "he is bullying people",
    "scam link, my sister lost her account",
    "",
)
FINE, SPAMMED, ABUSE, EXPOSED = range(4)
REASONS = ("", "spam", "abuse", "personal")
WAVE = 400  # comments between one campaign of spam and the next
VOCABULARY = 25_000
SMALL = 20_000  # up to here a portal is young: everything was decided here, and hardly anybody was ever banned
A_DAY = 2_000  # comments; a portal of two million is nearly three years old
BAN_DAYS = (1, 3, 7, 7, 30, 0)  # 0: for good


class Written(NamedTuple):
    """A comment, numbered from 0, with what is known about it. `player` and `game` are numbers, too."""

    number: int
    player: int
    game: int
    body: str
    kind: int
    pending: bool
    at: object
    complaints: list  # (player, words, at) each
    decided: tuple | None  # (at, actor as a number, id of the gesture) when that is on record


class Banned(NamedTuple):
    number: int  # of the comment that was the last straw
    player: int
    gesture: uuid.UUID
    starts: object
    ends: object | None


@dataclass
class Portal:
    """`players`, `games` and `comments` are how many; `actors` how many staff decide; `salt` tells apart two
    portals of one seed in one database, whose gestures need ids of their own.
    """

    players: int
    games: int
    comments: int
    seed: int
    now: object
    actors: int = 3
    salt: str = ""
    authors: array = field(init=False)
    bans: list = field(init=False, default_factory=list)

    def __post_init__(self):
        self.chance = random.Random(self.seed)  # noqa: S311
        self.is_small = self.comments <= SMALL
        self.waiting = max(self.comments // 100, min(self.comments // 6, 66))
        self.span = timedelta(days=max(7, self.comments / A_DAY))
        self.names = self._names()
        self._plan()
        self._words = self._stream_of_words()

    def at(self, number):
        """When a comment was written. A portal grows: there are more of them the younger they are."""
        return self.now - self.span * ((1 - (number + 0.5) / self.comments) ** 1.3) - timedelta(minutes=2)

    def is_pending(self, number):
        """Four of five of the newest wait: somebody works through them."""
        return number >= self.comments - self.waiting * 5 // 4 and number % 5 != 0

    def is_recorded(self, number):
        """Whether the decision has an entry: those of the older half were taken with what came before Attendant."""
        return self.is_small or number >= self.comments * 0.55

    def _plan(self):
        """Who writes what kind of thing where, who is banned for it, and each player's totals."""
        rand, games = self.chance.random, self.games
        ids = random.Random(f"{self.seed} {self.salt} bans")  # noqa: S311
        order = list(range(self.players))
        self.chance.shuffle(order)  # the busiest are not the first to have joined
        self.bad = bytearray(rand() < 0.2 for _ in range(self.players))
        self.authors, self.places = array("l"), array("l")
        self.kinds = bytearray()
        self.count, self.last = array("l", [0]) * self.players, array("l", [-1]) * self.players
        free_from = array("d", [0.0]) * self.players
        for number in range(self.comments):
            player = order[int(self.players * rand() ** 2)]
            moment = self.at(number).timestamp()
            if free_from[player] > moment:  # banned: somebody else writes
                player = order[int(self.players * rand() ** 2)]
            kind = self._kind(self.bad[player])
            self.authors.append(player)
            self.places.append(int(games * rand() ** 3))
            self.kinds.append(kind)
            self.count[player] += 1
            self.last[player] = number
            if kind and not self.is_small and rand() < 0.27 and free_from[player] <= moment:
                free_from[player] = self._ban(number, player, ids)

    def _kind(self, is_bad):
        roll = self.chance.random()
        if roll > (0.8 if is_bad else 0.07):
            return FINE
        roll = self.chance.random()
        return SPAMMED if roll < 0.68 else ABUSE if roll < 0.94 else EXPOSED

    def _ban(self, number, player, ids):
        if self.is_pending(number):
            return 0.0
        starts = self.at(number) + timedelta(minutes=5)
        days = self.chance.choice(BAN_DAYS)
        ends = starts + timedelta(days=days) if days else None
        self.bans.append(Banned(number, player, new_id(ids), starts, ends))
        return ends.timestamp() if ends else float("inf")

    def _stream_of_words(self):
        """A long text by Zipf's law, the nth word of the vocabulary 1/n as often as the first; bodies are cut from
        it, which is far quicker than to draw every word.
        """
        vocabulary = vocabulary_of(VOCABULARY)
        weights = list(accumulate(1 / (rank + 2.7) ** 1.1 for rank in range(len(vocabulary))))
        return self.chance.choices(vocabulary, cum_weights=weights, k=min(2_000_000, 2000 + self.comments * 3))

    def titles(self):
        return [GAMES[n % 8] if n < 8 else f"{GAMES[n % 8]} {n // 8 + 1}" for n in range(self.games)]

    def _names(self):
        names, taken = [], set()
        while len(names) < self.players:
            few = len(names) < 300
            name = self.chance.choice(FIRST[:20] if few else FIRST) + self.chance.choice(LAST[:20] if few else LAST)
            if few and name in taken:
                continue
            taken.add(name)
            names.append(name if few else f"{name}{len(names)}")
        return names

    def people(self):
        """Yields `(name, joined, address, last comment's number or -1, how many)` in order of their numbers."""
        chance = random.Random(f"{self.seed} people")  # noqa: S311
        for number, name in enumerate(self.names):
            joined = self.now - self.span - timedelta(minutes=chance.randrange(60, 1_200_000))
            yield name, joined, address_of(number), self.last[number], self.count[number]

    def written(self):
        """Yields every comment, oldest first."""
        chance = random.Random(f"{self.seed} bodies")  # noqa: S311
        ids = random.Random(f"{self.seed} {self.salt} gestures")  # noqa: S311
        many, left = None, 0  # a gesture on many at once, and how many more it takes
        for number in range(self.comments):
            kind, at, pending = self.kinds[number], self.at(number), self.is_pending(number)
            decided = None
            if not pending and self.is_recorded(number):
                if kind == SPAMMED and left:
                    decided, left = many, left - 1
                else:
                    decided = self._decision(chance, ids, at)
                    if kind == SPAMMED and chance.random() < 0.1:
                        many, left = decided, chance.randrange(2, 20)
                if decided[0] <= at:  # it was written after that gesture
                    decided = self._decision(chance, ids, at)
            yield Written(
                number,
                self.authors[number],
                self.places[number],
                self._body(chance, number, kind),
                kind,
                pending,
                at,
                self._complaints(chance, kind, at),
                decided,
            )

    def _decision(self, chance, ids, at):
        """Minutes to hours later, and not after now."""
        later = min(timedelta(minutes=3 + 237 * chance.random()), (self.now - at) * 0.9)
        return at + later, int(chance.random() * self.actors), new_id(ids)

    def _complaints(self, chance, kind, at):
        if chance.random() > (0.6 if kind else 0.03):
            return []
        number = chance.choice((1, 1, 2, 3, 5)) if kind else 1
        soon = (self.now - at) * 0.9
        return [
            (
                int(chance.random() * self.players),
                chance.choice(COMPLAINTS),
                at + min(timedelta(minutes=9) * chance.random(), soon),
            )
            for _ in range(number)
        ]

    def _body(self, chance, number, kind):
        if kind == FINE:
            return self._talk(chance)
        digits = chance.randrange(10, 99)
        if kind == SPAMMED:  # a campaign says the same again and again, with another number behind its link
            wave = number // WAVE if not self.is_small else chance.randrange(4)
            site = SITES[wave % 4] + ("" if self.is_small else str(wave // 4 % 97 or ""))
            return SPAM[wave % 4].format(n=digits, site=site)
        if kind == ABUSE:
            return chance.choice(RUDE).format(name=chance.choice(FIRST))
        return PERSONAL.format(n=digits)

    def _talk(self, chance):
        pick = chance.choice
        sentence = f"{pick(OPENERS)} {pick(SUBJECTS)} {pick(VERDICTS)}{pick(TAILS)}"
        if self.is_small:
            if chance.random() < 0.12:
                sentence += "\n\n" + " ".join(f"{pick(SUBJECTS)} {pick(VERDICTS)}." for _ in range(4))
            return sentence
        start = int(chance.random() * (len(self._words) - 80))
        more = " ".join(self._words[start : start + 2 + int(55 * chance.random() ** 2)])
        return f"{sentence} {more}" if chance.random() < 0.3 else more


def vocabulary_of(size):
    """Words from the most used to the rarest: those above, then by turns two of them run together as players do, and
    one that somebody made up.
    """
    longer = [word for word in HEAD if len(word) > 3]
    chance = random.Random(1)  # noqa: S311
    pairs = list(dict.fromkeys(chance.choice(longer) + chance.choice(longer) for _ in range(size)))
    coined = list(dict.fromkeys(_coined(chance) for _ in range(size)))
    return [*HEAD, *(word for both in zip(pairs, coined, strict=False) for word in both)][:size]


def _coined(chance):
    beginnings, middles = (
        "b c d f g h j k l m n p r s t v w z bl dr gl kr pl sk tr".split(),
        "a e i o u ai oo y".split(),
    )
    syllables = (chance.choice(beginnings) + chance.choice(middles) for _ in range(chance.randrange(2, 5)))
    return "".join(syllables) + chance.choice("lmnrsxz")


def address_of(number):
    """From ranges that belong to nobody (RFC 2544, RFC 3849); of a small portal, from one that is easy to read."""
    if number < 250:
        return f"203.0.113.{number + 1}"
    if number % 10 == 0:
        return f"2001:db8::{number % 65536:x}"
    return f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"


def new_id(chance):
    return uuid.UUID(int=chance.getrandbits(128), version=4)
