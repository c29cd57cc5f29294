"""Card numbers: found as the plain rule finds them, also where the quick look comes first."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from hub.domain import redaction
from hub.domain.redaction import without_cards

PIECES = st.sampled_from([*"0123456789", "4111", "1111", *" -.x\n\u2010\uff14\u0665\u00b2"])


def by_the_rule(text: str) -> str:
    """Return what the rule says, without any look beforehand."""
    if sum(map(str.isdigit, text)) < 13:
        return text
    if any(character.isdigit() and not character.isascii() for character in text):
        text = unicodedata.normalize("NFKC", text)
    return redaction._CANDIDATE.sub(redaction._shortened, text)


@given(st.lists(PIECES, max_size=60).map("".join))
@example("x 4111-1111 1111.1111 x")
@example("\uff14111111111111111")
def test_the_quick_look_misses_nothing(text: str) -> None:
    assert without_cards(text) == by_the_rule(text)


def test_a_card_is_shortened() -> None:
    assert without_cards("Card 4111 1111 1111 1111, thanks") == "Card [card ...1111], thanks"
