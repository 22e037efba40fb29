"""The words of generated dialogues: values of facts, sentences that tell them, questions that ask them, small talk.

`{p}` is a person, `{v}` a value with its article `{a}`, `{c}` its cause's value with `{ac}`, `{when}` a date relative
to the session, `{o}` the person spoken to or an object. Every telling shares a content word with each of its
questions, so that a reader without a model can find it.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMES = (
    "Nora", "Iven", "Salma", "Teodor", "Wren", "Kofi", "Marta", "Jonas", "Aiko", "Bram", "Leila", "Pavel",
    "Ines", "Dario", "Hanne", "Ravi", "Oona", "Felix", "Zuri", "Emil", "Tilda", "Marek", "Yara", "Silas",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event in a life.

    `tell` templates tell it, `first` ones tell what was so from the beginning. `cause` is the kind of event that led to
    it. `ask_when` asks its date.
    `ask` asks the value of a fact told once, `now` the newest value of one that changed, `joined` the value by way of
    the cause's value `{c}`, `listed` all values over all sessions. `hearsay` repeats an outdated value.
    """

    name: str
    values: tuple[str, ...]
    tell: tuple[str, ...]
    ask: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    ask_when: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    hearsay: tuple[str, ...] = ()
    cause: str = ""
    first: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="job",
            values=(
                "baker", "surveyor", "beekeeper", "locksmith", "optician", "carpenter", "translator", "florist",
                "paramedic", "cartographer", "piano tuner", "bookbinder", "welder", "tram driver", "midwife", "glazier",
            ),
            first=("For a living I work as {a} {v}.", "My job keeps me busy, I work as {a} {v}."),
            tell=(
                "I got the new job, so I work as {a} {v} now.",
                "I changed jobs {when}, and I work as {a} {v} these days.",
                "They hired me {when}: my new work is being {a} {v}.",
            ),
            ask=("What does {p} work as?", "What is {p}'s job, what does {p} work as?"),
            now=("What does {p} work as now?", "What is {p}'s new work these days?"),
            hearsay=("As far as I know {p} still works as {a} {v}.",),
        ),
        Kind(
            name="city",
            values=(
                "Porto", "Leeds", "Ghent", "Turku", "Bergen", "Graz", "Lyon", "Split", "Cork", "Aarhus", "Brno",
                "Malmo", "Seville", "Gdansk", "Trieste", "Utrecht",
            ),
            first=("I live in {v}, it is a good city for me.", "The city I live in is {v}."),
            tell=(
                "I moved to {v} {when} because of the new job, and I like to live there.",
                "I live in {v} now, I moved {when} for the new job.",
                "The boxes are unpacked: I moved to {v} {when} for the new job and live there now.",
            ),
            ask=("Which city does {p} live in?", "Where does {p} live?"),
            now=("Which city does {p} live in now?", "Where does {p} live these days?"),
            ask_when=("When did {p} move to {v}?",),
            joined=("Which city did {p} move to for the job as {ac} {c}?",),
            hearsay=("If I remember right {p} lives in {v}.", "I believe {p} still lives in {v}."),
            cause="job",
        ),
        Kind(
            name="club",
            values=(
                "fencing", "archery", "bouldering", "rowing", "curling", "orienteering", "badminton", "juggling",
                "pottery", "origami", "calligraphy", "birdwatching", "gliding", "sailing", "knitting", "woodcarving",
            ),
            first=("My hobby is {v}, most weekends at least.", "The hobby I love is {v}."),
            tell=(
                "To meet people after the move I took up a new hobby, {v}.",
                "Since the move I have taken up {v} as my new hobby.",
            ),
            ask=("What is {p}'s hobby?", "Which hobby does {p} love?"),
            now=("What is {p}'s new hobby?", "Which hobby did {p} take up most recently?"),
            joined=("Which hobby did {p} take up after the move to {c}?",),
            hearsay=("{p}'s hobby is {v}, unless that has changed.",),
            cause="city",
        ),
        Kind(
            name="pet",
            values=(
                "greyhound", "tortoise", "parrot", "ferret", "hedgehog", "rabbit", "gecko", "goose", "donkey",
                "cockatiel", "chinchilla", "poodle", "tabby cat", "iguana", "guinea pig", "canary",
            ),
            tell=(
                "I adopted {a} {v} {when}, the shelter had only one.",
                "Big news: I adopted {a} {v} {when}.",
            ),
            ask=("What kind of animal did {p} adopt?", "Which pet did {p} adopt?"),
            now=("Which animal did {p} adopt most recently?",),
            ask_when=("When did {p} adopt the {v}?",),
        ),
        Kind(
            name="pet name",
            values=(
                "Biscuit", "Comet", "Pepper", "Waffle", "Juniper", "Marble", "Ziggy", "Clover", "Domino", "Truffle",
                "Nimbus", "Saffron", "Pickle", "Maple", "Socks", "Turbo",
            ),
            tell=(
                "The animal I adopted has a name at last: {v}.",
                "We chose the name {v} for the one I adopted from the shelter.",
            ),
            joined=("What is the name of the {c} that {p} adopted?", "Which name did {p} choose for the {c}?"),
            cause="pet",
        ),
        Kind(
            name="injury",
            values=("wrist", "ankle", "shoulder", "knee", "elbow", "thumb", "hip", "toe"),
            tell=("I hurt my {v} {when} and had to see a doctor.", "I fell {when} and hurt my {v} badly."),
            ask=("Which part of the body did {p} hurt?",),
            ask_when=("When did {p} hurt the {v}?",),
        ),
        Kind(
            name="recovery",
            values=(
                "swimming", "tai chi", "chess", "baking bread", "model trains", "watercolours", "yoga", "crosswords",
                "astronomy", "gardening", "poetry", "darts",
            ),
            tell=(
                "While the injury heals I spend my time on {v}.",
                "Because of the injury I rest a lot and spend the evenings on {v}.",
            ),
            ask=("What does {p} spend time on while the injury heals?",),
            joined=("What did {p} spend time on after the {c} was hurt?",),
            cause="injury",
        ),
        Kind(
            name="trip",
            values=(
                "Norway", "Peru", "Japan", "Morocco", "Iceland", "Vietnam", "Chile", "Greece", "Kenya", "Canada",
                "Portugal", "Nepal", "Cuba", "Jordan", "Estonia", "Laos",
            ),
            tell=(
                "I came back from a trip to {v} {when}.",
                "My trip to {v} was wonderful, I returned {when}.",
                "I travelled to {v} and got home from the trip {when}.",
            ),
            ask=("Which country did {p} travel to on a trip?",),
            listed=("Which countries has {p} been to on a trip?", "Where has {p} gone on a trip?"),
            ask_when=("When did {p} come back from the trip to {v}?", "When did {p} return from {v}?"),
        ),
        Kind(
            name="souvenir",
            values=(
                "copper kettle", "wool blanket", "paper lantern", "clay whistle", "silver spoon", "straw hat",
                "carved mask", "blue teapot", "brass compass", "silk scarf", "wooden flute", "glass bead necklace",
            ),
            tell=(
                "The souvenir from that last trip is on my shelf now, {a} {v}.",
                "I unpacked the souvenir of my last trip, it is {a} {v}.",
            ),
            ask=("Which souvenir did {p} bring home from the trip?",),
            joined=("Which souvenir did {p} bring home from {c}?",),
            cause="trip",
        ),
        Kind(
            name="contest",
            values=(
                "chili", "photography", "spelling", "pumpkin", "sandcastle", "trivia", "karaoke", "kite", "haiku",
                "pie", "jigsaw", "limerick",
            ),
            tell=("I won the {v} contest {when}!", "They gave me first place in the {v} contest {when}, I won!"),
            ask=("Which contest did {p} win?",),
            listed=("Which contests has {p} won?",),
            ask_when=("When did {p} win the {v} contest?",),
        ),
        Kind(
            name="prize",
            values=(
                "espresso machine", "tent", "telescope", "hammock", "bread oven", "record player", "canoe", "globe",
                "sewing machine", "unicycle", "microscope", "rocking chair",
            ),
            tell=("The prize for the contest arrived, it is {a} {v}.", "My prize from the contest came, {a} {v}."),
            ask=("What prize did {p} get from the contest?",),
            joined=("What prize did {p} get for the {c} contest?",),
            cause="contest",
        ),
        Kind(
            name="dish",
            values=(
                "mushroom risotto", "fish tacos", "lentil soup", "beef stew", "pumpkin gnocchi", "shakshuka",
                "pad thai", "onion tart", "ramen", "paella", "borscht", "moussaka",
            ),
            first=("My favourite dish is {v}.", "No dish beats {v}, it is my favourite."),
            tell=(),
            ask=("What is {p}'s favourite dish?",),
        ),
        Kind(
            name="instrument",
            values=("cello", "drums", "trumpet", "harmonica", "accordion", "guitar", "piano", "clarinet"),
            first=("I play the {v} as my instrument, badly but with joy.", "The instrument I play is the {v}."),
            tell=(),
            ask=("Which instrument does {p} play?",),
        ),
        Kind(
            name="allergy",
            values=("peanuts", "shellfish", "cats", "pollen", "eggs", "wheat", "milk", "strawberries"),
            first=("I am allergic to {v}, so I have to be careful.", "Keep in mind that I am allergic to {v}."),
            tell=(),
            ask=("What is {p} allergic to?",),
        ),
        Kind(
            name="sibling",
            values=("Odette", "Ruben", "Clara", "Milan", "Petra", "Anton", "Greta", "Luca", "Noemi", "Tomas"),
            first=("I grew up with one sibling, {v}.", "My sibling {v} called me this morning."),
            tell=(),
            ask=("What is the name of {p}'s sibling?",),
        ),
    )
}  # fmt: skip


def article(value: str) -> str:
    """Return the indefinite article of a value."""
    return "an" if value[:1].lower() in "aeio" else "a"


CHAINS = (
    ("job", "city", "club"),
    ("pet", "pet name"),
    ("injury", "recovery"),
    ("trip", "souvenir"),
    ("contest", "prize"),
)
"""Causal schemas: each event of a chain is told in a later session than the one before it, and refers back to it."""

FIRST = ("job", "city")
"""Facts that everybody has from the beginning, and that later events replace."""

SOME = ("club", "dish", "instrument", "allergy", "sibling")
"""Facts of which each person has two from the beginning, so that questions about the others have no answer."""

SENSE: dict[str, dict[str, str]] = {
    "allergy": {
        "peanuts": "a satay sauce", "shellfish": "a plate of prawns", "cats": "an evening in a cat café",
        "pollen": "a walk through a meadow in bloom", "eggs": "an omelette", "wheat": "a fresh croissant",
        "milk": "a bowl of vanilla ice cream", "strawberries": "a berry trifle",
    },
    "instrument": {
        "cello": "a lump of rosin", "drums": "a pair of sticks", "trumpet": "a brass mute",
        "harmonica": "a neck holder for blowing hands-free", "accordion": "a new bellows strap", "guitar": "a capo",
        "piano": "a padded bench before a keyboard", "clarinet": "a box of reeds",
    },
}  # fmt: skip
"""What follows by common sense: what a person with this allergy should avoid, what a player of this has a use for."""

SENSE_QUESTIONS = {
    "allergy": "Would {p} do well to avoid {o}?",
    "instrument": "Would {p} have a use for {o}?",
}
SENSE_REASONS = {"allergy": "{p} is allergic to {v}", "instrument": "{p} plays the {v}"}

OPENINGS = (
    "Hi {o}, good to see you again.",
    "Hello {o}! It feels like ages since we talked.",
    "Hey {o}, do you have a moment?",
    "There you are, {o}. How is everything?",
    "Good day, {o}, I was hoping to run into you.",
)
REPLIES = (
    "That is quite something, {o}.",
    "Really? Tell me more when you can, {o}.",
    "I had no idea, {o}. How do you feel about it?",
    "Thanks for telling me, {o}.",
    "Oh, that makes me smile.",
    "I see. I would have done the same.",
    "Well, that is worth remembering.",
)
LEADS = (
    "One more thing before I forget.",
    "You may not know this yet.",
    "There is news from my side.",
    "Guess what!",
    "Let me tell you something.",
    "Right, my turn.",
    "",
    "",
)
TAILS = (
    "What about you?",
    "I still have to get used to it.",
    "I wanted you to hear it from me.",
    "It took me long enough.",
    "",
    "",
)
SMALL_TALK = (
    "It has been raining since breakfast, and my umbrella gave up.",
    "The queue at the post office went around the corner today.",
    "I slept badly, the neighbours were moving furniture at midnight.",
    "The coffee here is better than I expected.",
    "My phone updated itself and now I cannot find anything.",
    "I keep meaning to fix the squeaky door.",
    "The bus was late again, of course.",
    "There is a street market on the square, very crowded.",
    "I watched half of a film last night and fell asleep.",
    "Somebody left a single glove on our stairs.",
    "The days are getting shorter, have you noticed?",
    "I burnt the toast twice this week.",
    "The library has new chairs, at last.",
    "My inbox is a jungle.",
    "I found a coin from 1974 in an old coat.",
    "The lift is broken, so I get my exercise.",
    "They are digging up our street for the third time.",
    "I tried to read in the sun and got a red nose.",
    "The printer jams whenever I am in a hurry.",
    "There was a rainbow over the car park this morning.",
    "My watch stopped, and for a day I was early everywhere.",
    "Someone on the third floor is learning to whistle.",
    "I bought far too many tomatoes.",
    "The clock in the hall is seven minutes fast.",
)
DISTRACTORS = (
    "There was a long programme about {v} on the radio.",
    "A stranger on the train talked to me about {v} for an hour.",
    "The crossword wanted a word and it turned out to be {v}.",
    "Someone had written {v} on a wall near the station, who knows why.",
    "My neighbour cannot stop talking about {v}.",
    "I saw a poster about {v} and thought no more of it.",
)
"""Small talk that mentions a value of some fact without saying anything about anybody present."""

MENTIONED = ("city", "trip", "dish", "club", "recovery")
"""Kinds whose values are mentioned in passing: those that read well without an article."""
