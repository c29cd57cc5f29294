"""In which language a mail is written: by its script, else by the small words that each language has many of.

Content-Language is believed last: mail programs write there what their menus speak, not what the letter does.
"""

# ruff: noqa: RUF001

import re
from typing import Final

_SCRIPTS: Final = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("el", re.compile("[\u0370-\u03ff]")),
)
_SMALL_WORDS: Final = {
    "en": "the and is are was i my you your of to not this that have has it with for we please when can",
    "de": "der die das und ist ich nicht ein eine mein meine sie wir mit auf für den dem zu habe bitte wann noch",
    "fr": "le la les et est je ne pas un une mon ma vous nous avec pour des du que sur bonjour merci votre quand ce",
    "es": "el la los y es no un una mi que con para por usted se lo las del gracias hola cuando está su pero yo",
    "pt": "o a os e é não um uma meu minha que com para por você se as do da obrigado olá quando está ao mas eu",
    "it": "il la lo e è non un una mio mia che con per si gli le del della grazie buongiorno quando sono ho ma di",
    "nl": "de het een en is ik niet mijn u wij met op voor van heb dat aan er maar wanneer naar nog graag geen",
    "pl": "i w nie na się z do jest mam to że moje mój proszę czy dla od po jak dzień dobry kiedy ale przez",
    "tr": "ve bir bu da de için ile ben benim çok mi mı ne var yok merhaba lütfen ama zaman nasıl olarak gibi daha",
}
_BY_WORD: Final = {
    word: tuple(language for language, words in _SMALL_WORDS.items() if word in words.split())
    for word in {word for words in _SMALL_WORDS.values() for word in words.split()}
}
_WORD: Final = re.compile(r"[^\W\d_]+")
_DECLARED: Final = re.compile(r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9]{2,8})*\s*\Z")
_MOST: Final = 2_000
_LEAST: Final = 3


def language_of(text: str, declared: str = "") -> str:
    """Return the language of a text as a code of ISO 639, else what was declared (RFC 3282); empty for neither.

    Latin letters need three small words of one language, and half as many again as of any other.
    """
    text = text[:_MOST]
    if not text.isascii():
        for language, script in _SCRIPTS:
            if len(script.findall(text)) * 6 > len(text):
                return language
    counts = dict.fromkeys(_SMALL_WORDS, 0)
    for word in _WORD.findall(text.lower()):
        for language in _BY_WORD.get(word, ()):
            counts[language] += 1
    second, first = sorted(counts.values())[-2:]
    if first >= _LEAST and first * 2 >= second * 3:
        return max(counts, key=counts.__getitem__)
    said = _DECLARED.match(declared)
    return said[1].lower() if said else ""
