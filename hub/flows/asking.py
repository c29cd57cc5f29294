"""Questions: put, heard, understood or asked again; a person, help and another language are always understood."""

from typing import Final

from hub.flows import phrases
from hub.flows.answers import example_of, read, yes_or_no
from hub.flows.expressions import MAX_TEXT, Value
from hub.flows.matching import Known, match
from hub.flows.model import PERSON, AnswerType, Ask, Flow, Medium, Option
from hub.flows.run import Run
from hub.flows.session import Asked, Offered, Said, State

MAX_MISSES: Final = 6
"""Misunderstandings in one session that are enough for anybody."""
MAX_HELPS: Final = 3
HEARD: Final = 0.5
"""Speech recognised with less confidence than this is asked back about."""
MAX_HINTS: Final = 50

_WIDE: Final = frozenset({AnswerType.TEXT})
_DIGITS: Final = {AnswerType.CHOICE: 1, AnswerType.YES_NO: 1}


def ask(run: Run, step: Ask) -> str:
    """Put a question, unless its answer is known; returns the next step then, else ""."""
    known = run.session.answers.get(step.name)
    if step.once and known is not None:
        run.outcome_here("known", known)
        return after(step, known)
    early = _said_before(run, step)
    if early is not None:
        return take(run, step, early, "before")
    put(run, step)
    return ""


def put(run: Run, step: Ask, lead: str = "") -> None:
    """Ask, with something before it when it is asked again."""
    session = run.session
    session.state, session.confirm = State.ASKING, {}
    silence_s = run.silence_s(step.silence_s)
    run.outputs.append(
        Asked(
            text=run.words(step.text),
            step=step.id,
            timer=run.wait(silence_s),
            wants=step.type,
            lead=lead,
            choices=choices_of(run, step),
            silence_s=silence_s,
            digits=_DIGITS.get(step.type, sum(c == "#" for c in step.pattern)),
            hints=_hints(run, step),
        )
    )


def choices_of(run: Run, step: Ask) -> tuple[Offered, ...]:
    """Return the choices as the customer gets them; yes and no are choices too."""
    if step.type is AnswerType.YES_NO:
        return _yes_and_no(run.session.language)
    return tuple(Offered(option.id, run.words(option.label), option.digit) for option in step.choices)


def hear(run: Run, step: Ask, said: Said) -> str:
    """Take what the customer said; returns the next step, "" when the question stands (or the session is over)."""
    text = (said.digits or said.text)[: 5 * MAX_TEXT].strip()
    if run.session.confirm and (answered := _confirmed(run, step, said, text)) is not None:
        return answered
    tapped = _tapped(step, said)
    if tapped is not None:
        return take(run, step, tapped, "choice")
    if phrases.wants_person(text) and not _is_answer(step, text):
        run.hand_over("asked")
        return ""
    if step.type in {AnswerType.CHOICE, AnswerType.YES_NO} and phrases.is_frustrated(text):
        run.hand_over("frustrated")
        return ""
    if _helped(run, step, text):
        return ""
    return _understood(run, step, said, text)


def take(run: Run, step: Ask, value: Value, how: str, confidence: float = 1.0) -> str:
    """Keep an answer; returns the step that it leads to."""
    run.session.answers[step.name] = value
    run.session.last_text = ""
    run.outcome_here("answered", value)
    facts: dict[str, str | float | bool] = {"how": how, "tries": run.session.misses + 1}
    if step.type is AnswerType.CHOICE:
        facts |= {"choice": str(value), "confidence": round(confidence, 2)}
    run.mark("flow_answered", **facts)
    return after(step, value)


def after(step: Ask, value: Value) -> str:
    """Return where an answer leads."""
    option = step.option(str(value)) if step.choices else None
    return (option.then if option else "") or step.then


def missed(run: Run, step: Ask, text: str, lead: str) -> str:
    """Nothing was understood: ask again, or lead on when it is enough; returns the next step, if any."""
    session = run.session
    if phrases.is_frustrated(text):
        run.hand_over("frustrated")
        return ""
    is_same = bool(text) and text[:200] == session.last_text
    session.misses += 1 + is_same
    session.all_misses += 1 + is_same
    session.last_text = text[:200]
    run.mark("flow_not_understood", tries=session.misses)
    if session.misses >= step.tries or session.all_misses >= MAX_MISSES:
        run.outcome_here("not_understood")
        if step.otherwise == PERSON or session.all_misses >= MAX_MISSES:
            run.hand_over("not_understood")
            return ""
        return step.otherwise
    put(run, step, run.words(step.retry) or lead)
    return ""


def silent(run: Run, step: Ask) -> None:
    """The customer says nothing: ask once more where somebody waits at the other end, then a person sees to it."""
    session = run.session
    session.silences += 1
    run.mark("flow_silent", times=session.silences)
    patience = 2 if session.medium in {Medium.PHONE, Medium.CHAT} else 1
    if session.silences >= patience:
        run.hand_over("silent")
        return
    put(run, step, phrases.said("silent", session.language))


def _understood(run: Run, step: Ask, said: Said, text: str) -> str:
    if step.type is AnswerType.CHOICE:
        return _chosen(run, step, said, text)
    if step.type is AnswerType.YES_NO and said.digits in {"1", "2"}:
        return take(run, step, said.digits == "1", "digits")
    given = read(step, text, run.way())
    if not given.is_understood:
        lead = phrases.said("again", run.session.language)
        return missed(run, step, text, f"{lead} {phrases.said(given.code, run.session.language, **given.names)}")
    if said.confidence < HEARD and step.type not in _WIDE:
        _ask_back(run, given.value, shown(run, given.value))
        return ""
    return take(run, step, given.value, "digits" if said.digits else "words", said.confidence)


def _chosen(run: Run, step: Ask, said: Said, text: str) -> str:
    if said.digits:
        option = next((option for option in step.choices if option.digit == said.digits), None)
        if option is not None:
            return take(run, step, option.id, "digits")
    found = match(text, known_choices(step), language=run.session.language, similar=run.similar)
    option = step.option(found.id)
    confidence = min(found.confidence, said.confidence)
    if option is None:
        lead = phrases.said("again", run.session.language)
        return missed(run, step, text, f"{lead} {phrases.said('choose', run.session.language)}")
    if found.is_sure and said.confidence >= HEARD:
        run.session.opening = text[:MAX_TEXT]  # "where is my order FW-10001" has answered the next question, too
        return take(run, step, option.id, "words", confidence)
    _ask_back(run, option.id, run.words(option.label))
    run.mark("flow_asked_back", choice=option.id, confidence=round(confidence, 2))
    return ""


def _ask_back(run: Run, value: Value, label: str) -> None:
    """Ask whether this is what was meant."""
    session = run.session
    session.confirm = {"value": value}
    run.outputs.append(
        Asked(
            text=phrases.said("confirm", session.language, label=label[:200]),
            step=session.frames[-1].step,
            timer=run.wait(run.silence_s(0)),
            wants=AnswerType.YES_NO,
            choices=_yes_and_no(session.language),
            silence_s=run.silence_s(0),
            digits=1,
        )
    )


def _confirmed(run: Run, step: Ask, said: Said, text: str) -> str | None:
    """Return where a yes or a no leads; None when it was neither, and may be an answer to the question itself."""
    is_meant = {"yes": True, "no": False}.get(said.choice)
    if is_meant is None:
        is_meant = {"1": True, "2": False}.get(said.digits, yes_or_no(text, run.session.language))
    if is_meant is None:
        run.session.confirm = {}
        return None
    value = run.session.confirm["value"]
    run.session.confirm = {}
    if is_meant:
        return take(run, step, value, "confirmed")
    return missed(run, step, "", phrases.said("choose" if step.choices else "again", run.session.language))


def _tapped(step: Ask, said: Said) -> Value:
    """Return the answer that a tap on a button is; None when it is none of this question's."""
    if step.type is AnswerType.YES_NO and said.choice in {"yes", "no"}:
        return said.choice == "yes"
    return said.choice if said.choice and step.option(said.choice) else None


def _helped(run: Run, step: Ask, text: str) -> bool:
    """Whether the customer asked for help, for a repetition or for another language, and got it."""
    session = run.session
    named = phrases.language_named(text, run.flow.languages, session.language)
    if named and (step.type is not AnswerType.TEXT or (phrases.base(named) in phrases.NAMES and len(text) < 30)):
        is_only_name = phrases.bare(text) in phrases.NAMES.get(phrases.base(named), ())
        session.language = named
        run.mark("flow_language", language=named)
        if is_only_name:
            put(run, step)
        return is_only_name
    if session.helped >= MAX_HELPS:
        return False
    languages = (session.language, *phrases.LANGUAGES)
    if phrases.is_one_of(text, phrases.REPEAT, languages):
        session.helped += 1
        put(run, step)
        return True
    own = phrases.bare(text) in {phrases.bare(word) for word in step.help_words}
    if own or (step.type is not AnswerType.TEXT and phrases.is_one_of(text, phrases.HELP, languages)):
        session.helped += 1
        run.mark("flow_helped")
        put(run, step, run.words(step.help) or _generic_help(run, step))
        return True
    return False


def _generic_help(run: Run, step: Ask) -> str:
    code = "choose" if step.choices else str(step.type)
    return phrases.said(code, run.session.language, example=example_of(step.pattern))


def _is_answer(step: Ask, text: str) -> bool:
    """Whether words that lead to a person are an answer here: a nought where numbers from nought are wanted."""
    if text not in {"0", "zero", "零"}:
        return any(phrases.bare(text) == phrases.bare(word) for word in _own_words(step))
    if step.type in {AnswerType.NUMBER, AnswerType.AMOUNT}:
        return step.least is not None and step.least <= 0
    return any(option.digit == "0" for option in step.choices)


def _own_words(step: Ask) -> list[str]:
    """Return the labels and words of the choices: a choice called "Customer service" is taken as such."""
    found = [words for option in step.choices for words in _phrases(option)]
    return [word for word in found if word]


def _said_before(run: Run, step: Ask) -> Value:
    """Return the answer when the customer gave it before being asked: in the first thing they wrote."""
    opening = run.session.opening
    if not opening or step.name in run.session.answers:
        return None
    if step.type is AnswerType.CHOICE:
        found = match(opening, known_choices(step), language=run.session.language, similar=run.similar)
        return found.id if found.is_sure else None
    if step.type is AnswerType.PATTERN and any(c in "#@*" for c in step.pattern):
        given = read(step, opening, run.way())
        return given.value if given.is_understood else None
    return None


def known_choices(step: Ask) -> list[Known]:
    """Return a question's choices as they are matched: in every language of the flow, the names of the choices too."""
    return [Known(option.id, tuple(_phrases(option)), option.digit) for option in step.choices]


def phrases_of(flow: Flow) -> list[str]:
    """Return all that a flow's choices are matched by."""
    asked = [step for step in flow.steps.values() if isinstance(step, Ask)]
    return [phrase for step in asked for one in known_choices(step) for phrase in one.phrases]


def _phrases(option: Option) -> list[str]:
    labels = [text for by_medium in option.label.texts.values() for text in by_medium.values()]
    return [*labels, *(word for words in option.words.values() for word in words)]


def _hints(run: Run, step: Ask) -> tuple[str, ...]:
    """Return what a speech recognition should expect."""
    if step.type is not AnswerType.CHOICE or run.session.medium is not Medium.PHONE:
        return ()
    spoken = [run.words(option.label) for option in step.choices]
    for option in step.choices:
        spoken += option.words.get(run.session.language, option.words.get(phrases.base(run.session.language), ()))
    return tuple(dict.fromkeys(spoken))[:MAX_HINTS]


def _yes_and_no(language: str) -> tuple[Offered, ...]:
    return Offered("yes", phrases.said("yes", language), "1"), Offered("no", phrases.said("no", language), "2")


def shown(run: Run, value: Value) -> str:
    """Return a value as it is read back."""
    if isinstance(value, bool):
        return phrases.said("yes" if value else "no", run.session.language)
    return str(value)
