"""A flow in a few words, and a driver: say what the customer does, read what comes of it."""

from collections.abc import Mapping
from typing import Any

from hub.flows.machine import new_session, step
from hub.flows.model import Flow, Medium
from hub.flows.reading import read_flow
from hub.flows.session import (
    Asked,
    Begin,
    EnterQueue,
    Fetch,
    Finished,
    HungUp,
    Input,
    LookedUp,
    Outcome,
    Posted,
    Recording,
    Said,
    Session,
    Stepped,
    TimeUp,
    Told,
    Wait,
    Wish,
)

HEAD = """
flow: shop
title: {en: Shop, zh: 商店}
languages: [en, zh]
channels: [phone, chat, sms, email]
person: {queue: support, note: "wants {{ answers.topic }}"}
steps:
"""

MENU = (
    HEAD
    + """
  menu:
    ask: topic
    type: choice
    text: {en: "What can I do?", zh: "需要什么帮助？"}
    choices:
      order:
        label: {en: Order status, zh: 订单状态}
        words: {en: [parcel, delivery, where is my order], zh: [包裹, 快递, 到哪了]}
        then: number
      bill: {label: {en: Bill, zh: 账单}, words: {en: [invoice, charged], zh: [发票, 扣款]}, then: bill}
  number:
    ask: order
    type: pattern
    pattern: "FW-#####"
    text: {en: "Your order number?", zh: "订单号？"}
    retry: {en: "That is no order number.", zh: "这不是订单号。"}
  find:
    look_up: order
    service: erp
    path: /orders/{{ answers.order }}
    keep: {status: status, eta: shipping.eta}
    not_found: number
    failed: person
  told:
    branch:
      - {when: "results.order.status == 'shipped'", then: shipped}
    otherwise: person
  shipped:
    end: {en: "It arrives on {{ results.order.eta | date }}.", zh: "{{ results.order.eta | date }}送达。"}
  bill:
    queue: billing
    skills: {invoices: 3}
    note: "about {{ answers.topic }}"
    text: {en: "One moment.", zh: "请稍候。"}
"""
)


class Talk:
    """One session and all that came out of it."""

    def __init__(self, *texts: str, medium: Medium = Medium.CHAT, language: str = "en", **known: Any) -> None:
        flows = [read_flow(text, f"{place}.yaml") for place, text in enumerate(texts or (MENU,))]
        self.book: dict[str, Flow] = {flow.name: flow for flow in flows}
        self.known: Mapping[str, Any] = known
        self.now = 1_700_000_000_000
        self.n = 0
        self.stepped: Stepped
        self.session: Session = new_session(
            "s1", self.book, flows[0].name, medium=medium, language=language, now=self.now
        )
        self.wishes: list[Wish] = []
        self.said: list[str] = []

    def put(self, given: Input) -> "Talk":
        self.stepped = step(self.book, self.session, given, self.now, known=self.known)
        self.session = self.stepped.session
        self.wishes += self.stepped.wishes
        self.said = [text for output in self.stepped.outputs for text in texts_of(output)]
        self.now += 1_000
        return self

    def id(self) -> str:
        self.n += 1
        return f"n{self.n}"

    def begin(self, text: str = "") -> "Talk":
        return self.put(Begin(self.id(), text))

    def say(self, *texts: str, **more: Any) -> "Talk":
        for text in texts:
            self.put(Said(id=self.id(), text=text, **more))
        return self

    def key(self, digits: str) -> "Talk":
        return self.put(Said(id=self.id(), digits=digits))

    def tap(self, choice: str) -> "Talk":
        return self.put(Said(id=self.id(), choice=choice))

    def silence(self) -> "Talk":
        return self.put(TimeUp(self.id(), self.session.timer))

    def found(self, **values: Any) -> "Talk":
        return self.put(LookedUp(id=self.id(), fetch=self.session.pending, outcome="found", values=values))

    def not_found(self, outcome: str = "not_found") -> "Talk":
        return self.put(LookedUp(id=self.id(), fetch=self.session.pending, outcome=outcome))

    def posted(self, outcome: str, to: str = "") -> "Talk":
        return self.put(Posted(id=self.id(), send=self.session.pending, outcome=outcome, to=to))

    def hang_up(self) -> "Talk":
        return self.put(HungUp(self.id()))

    @property
    def question(self) -> Asked:
        return next(output for output in self.stepped.outputs if isinstance(output, Asked))

    @property
    def at(self) -> str:
        return self.session.frames[-1].step

    @property
    def outcome(self) -> Outcome | None:
        return self.session.outcome

    @property
    def queue(self) -> EnterQueue:
        return next(wish for wish in self.wishes if isinstance(wish, EnterQueue))

    @property
    def fetch(self) -> Fetch:
        return next(wish for wish in reversed(self.wishes) if isinstance(wish, Fetch))

    @property
    def wait(self) -> Wait:
        return next(wish for wish in reversed(self.wishes) if isinstance(wish, Wait))


def texts_of(output: Told | Asked | Recording | Finished) -> list[str]:
    if isinstance(output, Finished):
        return []
    lead = [output.lead] if isinstance(output, Asked) and output.lead else []
    return [*lead, output.text]
