"""The interpreter: questions, ways, look-ups, and the way to a person that is always open."""

import msgspec
import pytest

from hub.flows.machine import MAX_MOVES, within_reach
from hub.flows.model import Medium
from hub.flows.session import (
    BookCallback,
    Finished,
    GoBack,
    LookedUp,
    MakePromise,
    Outcome,
    Posted,
    Said,
    SendMessage,
    Session,
    State,
    TakeMessage,
    TimeUp,
    WriteFields,
)
from tests.unit.flows.talk import HEAD, MENU, Talk


def test_an_order_is_found_and_told() -> None:
    talk = Talk().begin().say("where is my parcel")
    assert talk.at == "number"
    talk.say("it is fw 12345")
    assert (talk.fetch.service, talk.fetch.path) == ("erp", "/orders/FW-12345")
    talk.found(status="shipped", shipping={"eta": "2026-12-01", "secret": "x"})
    assert talk.said == ["It arrives on December 1, 2026."]
    assert talk.outcome is Outcome.RESOLVED
    assert talk.session.results == {"order": {"found": True, "status": "shipped", "eta": "2026-12-01"}}


@pytest.mark.parametrize("medium", list(Medium))
def test_the_same_words_lead_the_same_way_on_every_channel(medium: Medium) -> None:
    talk = Talk(medium=medium).begin().say("my delivery", "FW-12345").found(status="shipped")
    assert (talk.at, talk.outcome) == ("shipped", Outcome.RESOLVED)


@pytest.mark.parametrize(
    "asks", ["agent", "0", "I want to talk to a person please", "转人工", "can I speak to someone?"]
)
@pytest.mark.parametrize("before", [[], ["order"], ["order", "FW-12345"]])
def test_who_asks_for_a_person_gets_one_wherever_they_stand(asks: str, before: list[str]) -> None:
    talk = Talk().begin().say(*before).say(asks)
    assert (talk.outcome, talk.queue.queue, talk.queue.reason) == (Outcome.QUEUED, "support", "asked")


def test_what_was_said_first_is_not_asked_again() -> None:
    talk = Talk().begin("Where is my order FW-54321?")
    assert talk.session.answers == {"topic": "order", "order": "FW-54321"}
    assert talk.session.state is State.LOOKING_UP


def test_a_nought_is_an_answer_where_numbers_from_nought_are_wanted() -> None:
    flow = HEAD + '  n: {ask: n, type: number, least: LEAST, text: "How many?"}\n  done: {end: true}\n'
    assert Talk(flow.replace("LEAST", "0")).begin().say("0").session.answers == {"n": 0}
    assert Talk(flow.replace("LEAST", "1")).begin().say("0").outcome is Outcome.QUEUED


def test_not_understood_is_asked_again_and_then_a_person_sees_to_it() -> None:
    talk = Talk().begin().say("purple monkey")
    assert talk.said[0].startswith("Sorry, I did not understand")
    talk.say("green elephant")
    assert talk.session.state is State.ASKING
    talk.say("blue whale")
    assert (talk.outcome, talk.queue.reason) == (Outcome.QUEUED, "not_understood")


def test_the_same_thing_twice_counts_double() -> None:
    talk = Talk().begin().say("purple monkey", "purple monkey")
    assert talk.queue.reason == "not_understood"


def test_a_flow_says_in_its_own_words_that_it_did_not_understand() -> None:
    talk = Talk().begin().say("order", "twelve")
    assert talk.said == ["That is no order number.", "Your order number?"]


def test_frustration_leads_to_a_person() -> None:
    assert Talk().begin().say("this is useless").queue.reason == "frustrated"
    assert Talk(language="zh").begin().say("什么破机器人").queue.reason == "frustrated"


@pytest.mark.parametrize(
    ("medium", "patience"), [(Medium.PHONE, 2), (Medium.CHAT, 2), (Medium.SMS, 1), (Medium.EMAIL, 1)]
)
def test_silence_leads_to_a_person(medium: Medium, patience: int) -> None:
    talk = Talk(medium=medium).begin()
    for _ in range(patience):
        assert talk.outcome is None
        talk.silence()
    assert talk.queue.reason == "silent"


def test_an_alarm_that_comes_late_means_nothing() -> None:
    talk = Talk().begin()
    late = talk.session.timer
    talk.say("order").put(TimeUp("late", late))
    assert (talk.stepped.is_heard, talk.at) == (False, "number")


def test_an_input_that_was_heard_changes_nothing() -> None:
    talk = Talk().begin().say("order")
    again = talk.put(Said(id="n2", text="agent"))
    assert (again.stepped.is_heard, again.outcome, again.stepped.outputs) == (False, None, ())


def test_unsure_is_asked_back() -> None:
    talk = Talk().begin().say("status")
    assert talk.said == ["Do you mean “Order status”?"]
    assert [choice.id for choice in talk.question.choices] == ["yes", "no"]
    assert Talk().begin().say("status", "yes").at == "number"
    assert Talk().begin().say("status", "no").at == "menu"
    assert Talk().begin().say("status", "the bill").outcome is Outcome.QUEUED  # billing: what is said is heard anew


def test_speech_that_was_hardly_heard_is_asked_back() -> None:
    talk = Talk(medium=Medium.PHONE).begin().say("order").say("F W one two three four five", confidence=0.3)
    assert talk.said == ["Do you mean “FW-12345”?"]
    talk.key("1")
    assert talk.session.answers["order"] == "FW-12345"


def test_keys_and_taps_answer() -> None:
    assert Talk(medium=Medium.PHONE).begin().key("1").at == "number"
    assert Talk().begin().tap("order").at == "number"
    assert Talk(medium=Medium.PHONE).begin().key("1").key("12345").fetch.path == "/orders/FW-12345"


def test_help_is_given_and_is_no_misunderstanding() -> None:
    talk = Talk().begin().say("order", "help")
    assert talk.said[0] == "It looks like this: FW-12345."
    assert talk.session.misses == 0


def test_another_language_is_spoken_when_it_is_asked_for_or_written() -> None:
    talk = Talk().begin().say("中文")
    assert talk.said == ["需要什么帮助？"]
    talk = Talk().begin().say("我的快递到哪了")
    assert (talk.session.language, talk.said) == ("zh", ["订单号？"])
    assert talk.say("English").said == ["Your order number?"]


def test_a_look_up_that_fails_or_takes_too_long_leads_on() -> None:
    assert Talk().begin().say("order", "FW-12345").not_found().at == "number"
    assert Talk().begin().say("order", "FW-12345").not_found("failed").outcome is Outcome.QUEUED
    assert Talk().begin().say("order", "FW-12345").silence().outcome is Outcome.QUEUED


def test_an_answer_of_another_look_up_is_not_taken() -> None:
    talk = Talk().begin().say("order", "FW-12345")
    talk.put(LookedUp(id="x", fetch="s1:99", outcome="found", values={"status": "shipped"}))
    assert (talk.stepped.is_heard, talk.session.state) == (False, State.LOOKING_UP)


def test_who_talks_during_a_look_up_is_told_once_to_wait() -> None:
    talk = Talk().begin().say("order", "FW-12345", "hello?")
    assert talk.said == ["One moment, I am still looking."]
    assert talk.say("hello??").said == []
    assert talk.say("agent").outcome is Outcome.QUEUED


def test_who_hangs_up_has_abandoned() -> None:
    talk = Talk().begin().say("order").hang_up()
    assert (talk.outcome, talk.session.path[-1].outcome) == (Outcome.ABANDONED, "left")
    assert talk.say("hello").stepped.is_heard is False


def test_the_agent_sees_the_path_and_the_journal_sees_no_words() -> None:
    talk = Talk()
    marks = [*talk.begin().stepped.marks, *talk.say("order").stepped.marks, *talk.say("FW-12345").stepped.marks]
    path = [(visit.step, visit.outcome, visit.value) for visit in talk.session.path]
    assert path == [("menu", "answered", "order"), ("number", "answered", "FW-12345"), ("find", "", None)]
    assert [mark.kind for mark in marks] == [
        "flow_started",
        "flow_step_entered",
        "flow_answered",
        "flow_step_entered",
        "flow_answered",
        "flow_step_entered",
    ]
    assert "12345" not in msgspec.json.encode(marks).decode()


def test_a_queue_gets_skills_and_a_note() -> None:
    talk = Talk().begin().say("bill")
    assert (talk.queue.queue, talk.queue.skills, talk.queue.note) == ("billing", {"invoices": 3}, "about bill")
    assert (talk.said, talk.outcome) == (["One moment."], Outcome.QUEUED)


def test_fields_promises_and_messages_are_wished_for() -> None:
    flow = (
        HEAD
        + """
  ok: {ask: ok, type: yes_no, text: "May we text you?"}
  keep: {set: {"street": "{{ customer.name }} lane"}}
  told: {promise: "call {{ customer.name }}", due_s: 3600, queue: support}
  text: {send: sms, to: "+4915112345678", consent: answers.ok, text: "Hi {{ customer.name }}"}
  done: {end: "Bye."}
"""
    )
    talk = Talk(flow, customer={"name": "Li"}).begin().say("yes please")
    assert talk.session.state is State.SENDING
    talk.posted("sent")
    assert [wish for wish in talk.wishes if not isinstance(wish, type(talk.wait))] == [
        WriteFields({"street": "Li lane"}),
        MakePromise(text="call Li", due_at=talk.now - 2_000 + 3_600_000, queue="support"),
        SendMessage(id="s1:s4", medium=Medium.SMS, to="+4915112345678", text="Hi Li", subject="Shop"),
    ]
    assert talk.outcome is Outcome.RESOLVED
    refused = Talk(flow).begin().say("no")
    assert not any(isinstance(wish, SendMessage) for wish in refused.wishes)
    assert refused.outcome is Outcome.RESOLVED


def test_a_callback_and_a_message_end_the_session() -> None:
    callback = (
        HEAD
        + """
  p: {ask: phone, type: phone, text: "Which number?"}
  c: {callback: support, phone: "{{ answers.phone }}"}
"""
    )
    talk = Talk(callback).begin().say("(415) 555-2671")
    assert talk.wishes[-1] == BookCallback(queue="support", phone="+14155552671")
    assert (talk.said, talk.outcome) == (["We will call you back on +14155552671."], Outcome.CALLBACK_BOOKED)
    message = HEAD + '  m: {leave_message: support, text: "Speak after the tone."}\n'
    talk = Talk(message, medium=Medium.PHONE).begin().put(Said(id="r", recording="RE1"))
    assert talk.wishes[-1] == TakeMessage(queue="support", recording="RE1")
    assert talk.outcome is Outcome.MESSAGE_TAKEN


def test_a_sub_flow_comes_back_and_a_survey_follows() -> None:
    main = HEAD + "  sub: {flow: mood}\n  done: {end: Thanks., survey: survey}\n"
    mood = (
        HEAD.replace("flow: shop", "flow: mood")
        + '  q: {ask: mood, type: text, text: "How are you?"}\n  b: {hand_back: true}\n'
    )
    survey = (
        HEAD.replace("flow: shop", "flow: survey")
        + '  q: {ask: stars, type: number, least: 1, most: 5, text: "Stars?"}\n  e: {end: Bye.}\n'
    )
    talk = Talk(main, mood, survey).begin()
    assert talk.session.pins.keys() == {"shop", "mood", "survey"} == set(within_reach(talk.book, "shop"))
    assert talk.say("well").said == ["Thanks.", "Stars?"]
    assert talk.say("five").outcome is Outcome.RESOLVED
    assert talk.session.answers == {"mood": "well", "stars": 5}
    left = Talk(main, mood, survey).begin().say("well").hang_up()
    assert left.outcome is Outcome.RESOLVED  # the matter was settled before the survey


def test_who_was_sent_by_an_agent_goes_back_to_them() -> None:
    talk = Talk()
    talk.session.by_agent = True
    talk.begin().say("agent")
    assert (talk.wishes[-1], talk.outcome) == (GoBack(outcome="person", reason="asked"), Outcome.HANDED_BACK)


def test_a_circle_without_a_question_ends_at_a_person_within_bounds() -> None:
    talk = Talk(HEAD + "  a: {say: Hello, then: b}\n  b: {say: Again, then: a}\n").begin()
    assert talk.queue.reason == "circle"
    assert talk.session.steps <= MAX_MOVES


def test_a_flow_that_enters_itself_ends_at_a_person() -> None:
    assert Talk(HEAD + "  a: {flow: shop}\n").begin().queue.reason == "too_deep"


def test_an_expression_that_cannot_be_evaluated_is_not_true() -> None:
    talk = Talk(HEAD + '  a: {branch: [{when: "results.x.y > 3", then: b}], otherwise: end}\n  b: {end: b}\n').begin()
    assert (talk.outcome, talk.said) == (Outcome.RESOLVED, [])


def test_a_session_is_plain_data_and_goes_on_anywhere() -> None:
    talk = Talk().begin().say("order")
    talk.session = msgspec.json.decode(msgspec.json.encode(talk.session), type=Session)
    assert talk.say("FW-12345").fetch.path == "/orders/FW-12345"


def test_the_session_handed_in_stays_as_it_was() -> None:
    talk = Talk().begin()
    before = msgspec.json.encode(talk.session)
    held = talk.session
    talk.say("order", "FW-12345").found(status="shipped")
    assert msgspec.json.encode(held) == before


def test_texts_fit_the_channel() -> None:
    flow = HEAD + '  a: {end: {en: {default: "See https://x.example", phone: "Look at our site"}}}\n'
    assert Talk(flow).begin().said == ["See https://x.example"]
    assert Talk(flow, medium=Medium.PHONE).begin().said == ["Look at our site"]


def test_knowledge_is_told_or_not_found() -> None:
    flow = (
        HEAD
        + """
  q: {ask: question, type: text, text: "What would you like to know?"}
  k:
    knowledge: "{{ answers.question }}"
    articles:
      hours: {title: Opening hours, words: [open, close], text: "We are open from 9 to 5."}
      returns: {title: Returns, words: [send back, refund], text: "Send it back within 30 days."}
    not_found: lost
  done: {end: true}
  lost: {end: "I do not know."}
"""
    )
    assert Talk(flow).begin().say("when do you open?").said == ["We are open from 9 to 5."]
    assert Talk(flow).begin().say("how do I get a refund").said == ["Send it back within 30 days."]
    assert Talk(flow).begin().say("what is love").said == ["I do not know."]


def test_nothing_is_said_after_the_end() -> None:
    talk = Talk(MENU).begin().say("bill")
    assert isinstance(talk.stepped.outputs[-1], Finished)
    assert talk.silence().stepped.outputs == ()


def test_words_that_choose_answer_the_next_question_too() -> None:
    talk = Talk(medium=Medium.PHONE).begin().say("where is my order FW-10001")
    assert talk.session.answers == {"topic": "order", "order": "FW-10001"}
    assert talk.session.frames[-1].step == "find"


def test_a_tap_answers_its_own_question_only() -> None:
    talk = Talk().begin().say("order")
    assert talk.session.frames[-1].step == "number"


SENDS = (
    HEAD
    + """
  where: {ask: phone, type: phone, text: "Which number?"}
  ok: {ask: ok, type: yes_no, text: "Text {{ answers.phone }}?"}
  text:
    send: sms
    to: "{{ answers.phone }}"
    consent: "true"
    text: "Hi {{ customer.name }}"
    subject: "For {{ customer.name }}"
  more: {ask: more, type: yes_no, text: "Anything else?"}
  done: {end: "Bye."}
"""
)


def test_an_address_is_confirmed_by_a_yes_that_came_after_it() -> None:
    for answer, is_confirmed in (("yes", True), ("no", False)):
        talk = Talk(SENDS).begin().say("+1 415 555 0123", answer)
        assert talk.stepped.sending is not None
        assert (talk.stepped.sending.to, talk.stepped.sending.is_confirmed) == ("+14155550123", is_confirmed)


def test_what_is_not_sent_is_told_unless_the_flow_sees_to_it() -> None:
    talk = Talk(SENDS).begin().say("+1 415 555 0123", "yes").posted("opted_out")
    assert talk.said == ["I am sorry, I could not send you that message.", "Anything else?"]
    assert [(visit.step, visit.outcome) for visit in talk.session.path][-2:] == [("text", "opted_out"), ("more", "")]
    own = SENDS.replace('consent: "true"', 'consent: "true"\n    refused: done')
    assert Talk(own).begin().say("+1 415 555 0123", "yes").posted("opted_out").said == ["Bye."]
    sent = Talk(SENDS).begin().say("+1 415 555 0123", "yes").posted("sent", "+14155550123")
    assert (sent.said, sent.session.path[-2].value) == (["Anything else?"], "+14155550123")


def test_a_sending_that_nobody_takes_ends_as_not_sent_and_a_late_answer_means_nothing() -> None:
    talk = Talk(SENDS).begin().say("+1 415 555 0123", "yes")
    pending = talk.session.pending
    talk.say("hello?")
    assert talk.session.state is State.SENDING
    talk.silence()
    assert (talk.at, talk.session.path[-2].outcome) == ("more", "failed")
    talk.put(Posted(id="late", send=pending, outcome="sent"))
    assert (talk.stepped.is_heard, talk.at) == (False, "more")


def test_what_a_customer_wrote_has_no_power_in_a_message() -> None:
    name = "Li\r\nBcc: all@evil.example\n https://evil.example/x evil。com " + "x" * 300
    talk = Talk(SENDS, customer={"name": name}).begin().say("+1 415 555 0123", "yes")
    wish = talk.stepped.sending
    assert wish is not None
    for text in (wish.text, wish.subject):
        assert "\n" not in text
        assert "\r" not in text
        assert "//" not in text
        assert "evil. example" in text
        assert "evil. com" in text
        assert len(text) < 120
