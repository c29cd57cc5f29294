"""Letters at the console: read, answered by keys alone, taken back, kept; what goes wrong; how all of it looks."""

import asyncio
import re
import struct
import zlib
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Route, expect

from hub.contract import ChannelStatus
from hub.domain.agent import Role
from hub.domain.correspondence import Authenticity, Party, Refusal
from hub.domain.errors import DeliveryUncertain, MessageRejected
from hub.services.access import Scope
from hub.services.letters.writing import Letters, NewLetter
from tests import letterbox
from tests.browser.conftest import Houses, SeatAt
from tests.browser.house import UNDO_S, House
from tests.browser.people import Seat
from tests.browser.test_pages import LANGUAGES, Look, prepared
from tests.letterbox import Mailed

LI, OLA = Party("li@example.com", "Li Wei"), Party("ola@example.com", "Ola Nordmann")
ROBOT = Party("no-reply@parcel.example", "Parcel Service")
SUBJECT = "Charged twice for order FW10482"
WORDS = "Hello,\n\nI was charged twice. See https://shop.example/FW10482.\n\nKind regards\nLi Wei"
PAGE = '<p>I was charged <b>twice</b>.</p><img src="cid:shot" alt="The statement"><img src="https://far.example/p.gif">'
ANN = Scope("ann", Role.AGENT)


def picture() -> bytes:
    """Return a PNG that is large enough to be listed as a file."""
    row = b"\0" + b"\xc8\x78\x3c" * 200
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 200, 100, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(row * 100, 0)))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)
        for kind, data in (*parts, (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def first_letter() -> Mailed:
    return Mailed(
        name="<1@example.com>",
        sender=LI,
        cc=(OLA,),
        subject=SUBJECT,
        text=WORDS,
        quoted="> Thank you for your order.",
        html=PAGE,
        files=(("statement.png", "image/png", picture(), "shot"), ("Bill.pdf", "application/pdf", b"%PDF-1.4\nx", "")),
        authenticity=Authenticity.PROVED,
    )


async def reading(house: House, ann: Seat) -> str:
    """Ann is available, is offered Li's letter and takes it; returns the interaction."""
    await ann.arrive()
    await ann.available()
    found = await house.mailed(first_letter())
    await expect(ann.offer).to_contain_text(SUBJECT)
    await ann.page.keyboard.press("Alt+Enter")
    await expect(ann.page.locator(".letter-text")).to_contain_text("charged twice")
    await expect(ann.page.locator(".log")).to_be_focused()
    return found.id


async def test_a_letter_is_answered_by_keys_and_the_answer_to_it_comes_back(house: House, seat: SeatAt) -> None:
    ann, post = await seat(house, "ann"), letterbox.of(house.hub)
    one = await reading(house, ann)
    page = ann.page
    await page.keyboard.press("a")
    await expect(page.locator(".composer-tabs [aria-pressed=true]")).to_have_text("Reply all")
    await expect(page.locator(".envelope-who")).to_have_text("Li Wei, Ola Nordmann")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await expect(ann.composer).to_be_focused()
    await expect(page.locator(".envelope-who")).to_have_text("Li Wei")
    await ann.composer.fill("The second payment is on its way back.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".letter-state")).to_contain_text("Goes in")
    await expect(page.locator(".letter-state")).to_contain_text("Sent", timeout=(UNDO_S + 10) * 1000)
    assert [(sent.text, sent.subject, sent.to[0].address) for sent in post.sent] == [
        ("The second payment is on its way back.", f"Re: {SUBJECT}", "li@example.com")
    ]
    back = Mailed(
        name="<2@example.com>", sender=LI, subject=f"Re: {SUBJECT}", text="Thanks!", answers=("<1@example.com>",)
    )
    assert (await house.mailed(back)).id == one
    await expect(page.locator(".letter.theirs .letter-text").last).to_have_text("Thanks!")
    await expect(page.locator(".letter.theirs").last.locator(".letter-subject")).to_have_count(0)


async def test_what_is_reported_of_a_letter_stands_on_it(house: House, seat: SeatAt) -> None:
    ann, post = await seat(house, "ann"), letterbox.of(house.hub)
    await reading(house, ann)
    page = ann.page
    await page.keyboard.press("r")
    await ann.composer.fill("It is on its way back.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".letter-state")).to_contain_text("Sent", timeout=(UNDO_S + 10) * 1000)
    (sent,) = post.sent
    said = page.locator(".letter.ours .letter-trouble")

    async def reported(name: str, kind: str, status: str, text: str) -> None:
        await post.post(
            Mailed(name=name, sender=LI, text=text, bounce_of=sent.provider_id, bounce_kind=kind, status=status)
        )

    await reported("<r1@x>", "delayed", "4.4.1", "timed out")
    await expect(said).to_have_text(re.compile(r"still tried: 4.4.1 timed out"))
    await reported("<r2@x>", "failed", "5.1.1", "no such mailbox")
    await expect(said).to_have_text(re.compile(r"It came back: 5.1.1 li@example.com: no such mailbox"))
    await reported("<r3@x>", "complaint", "", "abuse")
    await expect(said).to_have_text(re.compile(r"reported it as unwanted: +li@example.com: abuse"))


async def test_an_undone_letter_is_a_draft_that_survives_a_reload(house: House, seat: SeatAt) -> None:
    ann, post = await seat(house, "ann"), letterbox.of(house.hub)
    await reading(house, ann)
    page = ann.page
    await page.keyboard.press("r")
    await page.locator(".envelope-line").click()
    await page.get_by_role("button", name="Cc, Bcc").click()
    await page.get_by_label("Bcc", exact=True).fill("boss@example.com,")
    await ann.composer.fill("Too early")
    await ann.composer.press("Control+Enter")
    await page.get_by_role("button", name="Undo").first.click()
    await expect(ann.composer).to_have_value("Too early")
    await page.reload()
    await expect(ann.composer).to_have_value("Too early")
    await page.locator(".envelope-line").click()
    await expect(page.locator(".recipient", has_text="boss@example.com")).to_be_visible()
    await expect(page.locator(".letter.ours")).to_contain_text("Taken back, not sent")
    assert post.sent == []


async def test_a_newer_letter_holds_the_answer_back_until_it_was_seen(house: House, seat: SeatAt) -> None:
    ann, post = await seat(house, "ann"), letterbox.of(house.hub)
    await reading(house, ann)
    page = ann.page
    await page.keyboard.press("r")
    await ann.composer.fill("I look into it")
    await house.mailed(Mailed(name="<2@example.com>", sender=LI, text="Never mind!", answers=("<1@example.com>",)))
    await expect(page.locator(".guard")).to_contain_text("Li Wei wrote again")
    await expect(ann.composer).to_have_value("I look into it")
    await page.get_by_role("button", name="Send anyway").click()
    await expect(page.locator(".letter-state")).to_contain_text("Sent", timeout=(UNDO_S + 10) * 1000)
    assert [sent.text for sent in post.sent] == ["I look into it"]


async def test_the_page_as_sent_runs_and_loads_nothing_of_its_own(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await reading(house, ann)
    page = ann.page
    asked: list[str] = []
    by_the_hub: list[str] = []

    async def refused(route: Route) -> None:
        asked.append(route.request.url)
        await route.abort()

    await ann.context.route("https://far.example/**", refused)

    async def fetched(route: Route) -> None:
        by_the_hub.append(parse_qs(urlsplit(route.request.url).query)["url"][0])
        await route.fulfill(body=picture(), content_type="image/png")

    await ann.context.route("**/pictures?*", fetched)
    await page.get_by_role("button", name="Full message").click()
    frame = page.frame_locator("iframe.letter-frame")
    await expect(frame.locator("b")).to_have_text("twice")
    shown = frame.get_by_alt_text("The statement")
    await expect(shown).to_be_visible()
    assert await shown.evaluate("(img) => img.complete && img.naturalWidth") == 200
    assert await page.locator("iframe.letter-frame").get_attribute("sandbox") == (
        "allow-popups allow-popups-to-escape-sandbox"
    )
    assert asked == []
    await page.get_by_role("button", name="Show pictures").click()
    await expect(page.get_by_text("Pictures are shown")).to_be_visible()
    await expect(frame.locator("b")).to_have_text("twice")
    assert (asked, by_the_hub) == ([], ["https://far.example/p.gif"])


async def test_a_signature_of_ones_own_goes_along_and_a_transcript_is_sent(house: House, seat: SeatAt) -> None:
    ann, post = await seat(house, "ann"), letterbox.of(house.hub)
    one = await reading(house, ann)
    page = ann.page
    await page.get_by_role("button", name="Ann").first.click()
    await page.get_by_role("menuitem", name="Settings").click()
    field = page.get_by_label("Signature of your e-mails")
    await field.fill("Ann Lee\n3rd floor")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Signature saved")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await expect(page.locator(".letter-signature")).to_contain_text("3rd floor")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Send the transcript to li@example.com").click()
    await expect(page.get_by_text("The transcript goes to li@example.com")).to_be_visible()
    async with asyncio.timeout(60):
        while not post.sent:  # noqa: ASYNC110 - the hub runs on a real clock here
            await asyncio.sleep(0.1)
    (sent,) = post.sent
    assert (sent.mode, sent.interaction, sent.to[0].address) == ("transcript", one, "li@example.com")
    assert "charged twice" in sent.transcript[0].text


async def test_a_new_letter_from_a_profile_and_a_supervisor_at_what_failed(house: House, seat: SeatAt) -> None:
    ann, sue, post = await seat(house, "ann"), await seat(house, "sue"), letterbox.of(house.hub)
    await reading(house, ann)
    page = ann.page
    await page.get_by_role("button", name="Write to li@example.com").click()
    dialog = page.get_by_role("dialog", name="New e-mail")
    await dialog.get_by_label("Subject").fill("Your refund")
    await dialog.locator("textarea").fill("It is done.")
    post.faults.append(MessageRejected("550 5.1.1 No such mailbox"))
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".letter-trouble")).to_contain_text(
        "550 5.1.1 No such mailbox", timeout=(UNDO_S + 10) * 1000
    )
    await expect(page.locator(".row[aria-current]")).to_contain_text("Not sent")

    post.is_legible = False
    await post.post(Mailed(name="<9@example.com>", sender=OLA, text="Unreadable"))
    await sue.arrive("#/attention")
    rows = sue.page.locator(".attention-row")
    await expect(rows).to_have_count(2)
    await expect(rows.last).to_contain_text("Your refund")
    post.is_legible = True
    await sue.page.get_by_role("button", name="Read again").click()
    await expect(sue.page.get_by_text("It is being read again")).to_be_visible()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".letter-state").last).to_contain_text("Sent")
    assert [sent.subject for sent in post.sent] == ["Your refund"]
    await sue.page.reload()
    await expect(sue.page.get_by_text("Nothing needs attention")).to_be_visible()


async def test_an_outcome_cut_off_by_the_clock_is_given_later(houses: Houses, seat: SeatAt) -> None:
    house = await houses(wrap_up_s=0.5)
    ann = await seat(house, "ann")
    one = await reading(house, ann)
    page = ann.page
    await page.keyboard.press("w")
    group = page.locator(".group", has_text="Outcome missing")
    await group.locator(".row").click()
    await expect(page.locator(".late-outcome")).to_contain_text("What came of it?")
    await page.locator(".late-outcome").get_by_role("button", name="Refunded").click()
    await expect(page.locator(".readonly")).to_be_visible()
    await expect(group).to_have_count(0)
    found, _ = await house.hub.services.reading.interaction(one, ANN)
    assert found.disposition == "refunded"


@LANGUAGES
async def test_the_pages_of_letters(house: House, seat: SeatAt, lang: str) -> None:
    look, en = Look(lang, []), lang == "en"
    ann = await seat(house, "ann", locale="en-GB" if en else "zh-CN")
    await prepared(ann.context, lang)
    page = ann.page
    await ann.arrive()
    await page.locator(".shift > .button").click()
    machine = await seen_in(house, ann)
    await page.reload()
    await expect(page.locator(".letter.folded .letter-head").first).to_be_visible()
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.locator(".row[aria-current]").click()
    await look.at(page, "letters")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator(".letter.folded .letter-head").first.click()
    await page.locator(".letter-recipients button").first.click()
    await page.locator(".letter-fold").first.click()
    await page.locator(".letter.theirs .letter-foot .button").nth(2).click()
    await look.at(page, "letter-open")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator(".envelope-line").click()
    await page.locator(".envelope-more").click()
    await page.locator("input[id^=bcc-]").fill("boss@example.com, half an address,")
    await ann.composer.fill("Yes")
    await look.at(page, "letter-composer")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator(".send-split .menu-trigger").click()
    await look.at(page, "letter-send", sizes=("1440",))
    await page.locator(".send-split [role=menuitem]").last.click()
    await look.at(page, "letter-time")
    await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.goto(f"{house.url}/#/work/{machine}")
    await expect(page.locator(".letter-badges .chip")).to_have_count(3)
    await look.at(page, "letter-machine")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.keyboard.press("Escape")
    await page.keyboard.press("l")
    await expect(page.locator(".new-letter")).to_be_visible()
    await look.at(page, "letter-new")
    assert "\n".join(look.wrong) == ""


async def seen_in(house: House, ann: Seat) -> str:
    """Li's letters with everything that can befall them, and a machine's; returns the latter's interaction."""
    found = await house.mailed(first_letter())
    await expect(ann.offer).to_be_visible()
    await ann.page.keyboard.press("Alt+Enter")
    await expect(ann.page.locator(".letter-text")).to_be_visible()
    machine = await house.mailed(
        Mailed(
            name="<m@x>", sender=ROBOT, subject="Out of office", text="Away.", is_automatic=True, must_not_answer=True
        )
    )
    await house.accepted(machine.id, "ann")
    await fill_with_troubles(house, found.id)
    return machine.id


async def fill_with_troubles(house: House, one: str) -> None:
    """Letters of ours that failed, may not have arrived, were partly refused, wait; and one of a false Li."""
    post, letters = letterbox.of(house.hub), house.hub.services.letters
    post.faults += [MessageRejected("550 5.1.1 No such mailbox"), DeliveryUncertain("The line broke.")]
    for number, state in enumerate(("failed", "uncertain", "sent")):
        if number == 2:
            post.receipt = {"refused": (Refusal("ola@example.com", "552", "Mailbox full"),)}
        sent = await letters.reply(one, ANN, NewLetter(client_id=f"t{number}", text=f"Words {number}", anyway=True))
        await settled(letters, one, sent.envelope.n, state)
    await letters.reply(one, ANN, NewLetter(client_id="t9", text="Later", send_at=house.hub.clock.now() + 86_400_000))
    await house.mailed(
        Mailed(
            name="<3@x>",
            sender=LI,
            subject=SUBJECT,
            text="Send it to my new account.",
            authenticity=Authenticity.DISPROVED,
            remarks=("several authors",),
        )
    )


async def settled(letters: Letters, one: str, n: int, state: str) -> None:
    """Wait until a letter of ours is in this state."""
    async with asyncio.timeout(UNDO_S + 15):
        while True:
            if any(
                view.envelope.n == n and view.outgoing and view.outgoing.state == state
                for view in await letters.of(one, ANN)
            ):
                return
            await asyncio.sleep(0.1)


@LANGUAGES
async def test_the_supervisors_pages_of_letters(house: House, seat: SeatAt, lang: str) -> None:
    look, post, letters = Look(lang, []), letterbox.of(house.hub), house.hub.services.letters
    await house.available("ann")
    one = await house.mailed(first_letter())
    await house.accepted(one.id, "ann")
    post.faults.append(MessageRejected("550 5.1.1 No such mailbox"))
    sent = await letters.reply(one.id, ANN, NewLetter(client_id="t1", text="Words"))
    await settled(letters, one.id, sent.envelope.n, "failed")
    post.is_legible = False
    await post.post(Mailed(name="<bad@x>", sender=OLA, text="Unreadable"))
    post.line = ChannelStatus(is_up=False, since=house.hub.clock.now() - 90_000, reason="The server does not answer.")
    sue = await seat(house, "sue", locale="en-GB" if lang == "en" else "zh-CN")
    await prepared(sue.context, lang)
    await sue.arrive("#/attention")
    await expect(sue.page.locator(".attention-row")).to_have_count(2)
    await look.at(sue.page, "attention")
    await sue.page.goto(f"{house.url}/#/floor")
    cards = sue.page.locator(".floor-inner .card")
    await expect(cards.nth(1)).to_have_class("card channels")
    await look.at(sue.page, "floor-channels")
    post.line = ChannelStatus(is_up=True, since=house.hub.clock.now())
    await sue.page.reload()
    await expect(cards.last).to_have_class("card channels")
    assert "\n".join(look.wrong) == ""
