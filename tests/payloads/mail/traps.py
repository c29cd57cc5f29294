"""Mails that look quoted, signed or forwarded and are not, and others that are in unusual ways: (name, text, new words)."""

# ruff: noqa: E501, RUF001

WHOLE: dict[str, str] = {
    "quote-like sentence": "Hello,\n\nOn Monday your colleague wrote:\nthe refund will come within a week. It did not come.\n\nWhat now?",
    "attribution in a sentence": "Hi,\n\non 12 May 2026 at 10:30 your technician wrote: please wait. I have waited since.\n\nAnn",
    "link that says wrote": "Have a look: https://example.org/on-monday-he-wrote:\nThat is my problem.",
    "travel": "Please book this:\nFrom: Berlin\nTo: Paris\nDate: 12 May 2026\nTwo adults.",
    "contact form": "New message from the web site\n\nFrom: Ann Smith\nEmail: ann@example.org\nPhone: 555 0100\nSubject: Lamp\nMessage: The lamp is broken, please help me soon.",
    "contact form 2": "Name: Ann\nE-Mail: ann@example.org\nBetreff: Lampe\nNachricht: Die Lampe ist kaputt.",
    "list with dashes": "I need:\n- a lamp\n- a table\n- two chairs",
    "dashes between sections": "Two questions.\n\n---\nFirst: where is my parcel? I ordered it three weeks ago and nobody answers the phone.\n---\nSecond: where is my refund? It was promised for last Monday and has not arrived so far.",
    "regards in a sentence": "Please give my best regards to Bob.\nHe was very helpful on the phone today.",
    "cheers in a sentence": "Cheers to the team that packed it, but the lamp is broken.\nCan you send a new one?",
    "sent from in the middle": "The parcel was sent from my warehouse in Leeds on Friday.\nIt has not arrived. Can you look where it is?",
    "sent from at the start": "Sent from my office to yours, the parcel is lost.\nWhat can we do about that? I need it by Friday.",
    "thanks only": "Thanks!",
    "thanks and name": "Thank you,\nAnn",
    "only a signature": "--\nAnn Smith\nExample Ltd",
    "only a quotation": "> Dear customer,\n> your parcel was sent.",
    "only a forward": "---------- Forwarded message ---------\nFrom: Ann Smith <ann@example.org>\nDate: Mon, Nov 16, 2026 at 9:41 AM\nSubject: Your order\nTo: <support@example.com>\n\nPlease see to that.",
    "original message in words": "I did not keep the original message.\nCan you send it again?",
    "forwarded in words": "You forwarded message 12 to me: thank you.\nBut I need message 13.",
    "arrows as decoration": "Our offer\n>>> look here <<<\nis waiting for you.",
    "postscript below the name": "The lamp is broken.\n\nBest regards,\nAnn\n\nPS: please ring after six.",
    "prices with greater": "Which one has\nlength > 20 cm\nand price < 30 EUR?",
    "confidential in words": "Is this information confidential? I would like to tell my husband.",
    "colon and date": "I was there on 16.11.2026 at 09:41:\nnobody opened the door.",
    "german sentence": "Am Montag schrieb mir Ihr Kollege:\ndie Lampe kommt. Sie kam nicht.",
    "french sentence": "Le 12 mai votre collègue m'a écrit que la lampe arrive.\nElle n'est pas là.",
    "chinese sentence": "你们的客服在电话里说写道歉信，但我没有收到。\n请问什么时候处理？",
    "chinese header words": "请把发件人地址改成我的新地址。\n主题不变。",
    "spanish de": "De: acuerdo con lo que hablamos, mando la foto.\nSaludos cordiales a todos los que me ayudaron ayer por teléfono.",
    "code": "The script says:\n\n    >>> import hub\n    Traceback: no module\n\nWhat is wrong?",
    "several names": "The broken ones:\n\nAnn Smith\nBob Jones\nCarla Brown",
    "order data": "Order: 12345\nDate: 16 Nov 2026\nSubject: lamp\nColour: green\n\nPlease change the colour to red.",
    "best alone in text": "Which is the best?\nBest\nGood\nFair\nare the grades on your page, but what do they mean for my claim?",
    "email then colon": "Please add these addresses to my account: ann@example.org and bob@example.org:\nthank you",
    "phone in text": "Ring me at +44 20 7946 0000.\nI am at home until six.",
    "thai": "สวัสดีค่ะ\nสินค้าเสียหาย ต้องการเปลี่ยน",
    "from with address in text": "From: what I see, ann@example.org never got it.\nPlease send again.",
}  # fmt: skip
"""Nothing here may be cut."""

CUT: dict[str, tuple[str, str]] = {
    "inline answers": (
        "On Mon, Nov 16, 2026 at 9:41 AM Ann <ann@example.org> wrote:\n> Which colour?\n\nGreen.\n\n> How many?\n\nTwo, please.\n\n> Yours, Ann",
        "> Which colour?\n\nGreen.\n\n> How many?\n\nTwo, please.",
    ),
    "greeting, then inline answers": (
        "Hi Ann,\n\nanswers below.\n\nOn Mon, Nov 16, 2026 at 9:41 AM Ann <ann@example.org> wrote:\n> Which colour?\nGreen.\n> How many?\nTwo.\n",
        "Hi Ann,\n\nanswers below.\n\n> Which colour?\nGreen.\n> How many?\nTwo.",
    ),
    "greeting, quotation, answer": (
        "Hi Ann,\n\nOn Mon, Nov 16, 2026 at 9:41 AM Ann <ann@example.org> wrote:\n> Which colour?\n\nGreen, please.\n",
        "Hi Ann,\n\nGreen, please.",
    ),
    "signature below the quotation": (
        "Green, please.\n\nOn Mon, Nov 16, 2026 at 9:41 AM Ann <ann@example.org> wrote:\n> Which colour?\n\n-- \nBob Jones\nExample Ltd",
        "Green, please.",
    ),
    "broken quote lines": (
        "Green.\n\nOn Mon, Nov 16, 2026 at 9:41 AM Ann <ann@example.org> wrote:\n> We have a lot of colours for this lamp and would like to know which of\nthem you\n> want to have, so please tell us.\n",
        "Green.",
    ),
    "no empty line above the name": ("Green, please.\nBest regards\nBob", "Green, please."),
    "two signatures": (
        "Thanks for your help!\n\nBest regards,\nAnn\n\n--\nAnn Smith\nHead of Lamps\nExample Ltd\n\nSent from my iPhone\n",
        "Thanks for your help!",
    ),
    "rule between two parts": (
        "Hello Bob,\n\nthis is one part.\n\n________________________________________________\n\nThis is the other part.\n\nBest regards,\nAnn\n\nOn July 28, 2026, Bob wrote:\n> old",
        "Hello Bob,\n\nthis is one part.\n\n________________________________________________\n\nThis is the other part.",
    ),
    "two thanks": ("Green, please.\n\nThanks,\nKind regards,\nBob Jones", "Green, please."),
    "thanks, comma, name": ("Green, please.\n\nThanks,\nBob", "Green, please."),
    "sign-off and name on one line": ("Green, please.\n\nBest regards, Bob Jones", "Green, please."),
    "mobile mark below a name": ("Green, please.\n\nBob\n\nSent from my iPhone", "Green, please.\n\nBob"),
    "mobile mark between": (
        "Green, please.\n\nSent from my iPhone\n\n> On 16 Nov 2026, at 09:41, Ann <ann@example.org> wrote:\n> \n> Which colour?\n> ",
        "Green, please.",
    ),
    "external warning": (
        "CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you\nrecognize the sender.\n\nGreen, please.",
        "Green, please.",
    ),
    "you don't often": ("You don't often get email from bob@example.org. Learn why this is important\n\nGreen, please.", "Green, please."),
    "list footer": (
        "Green, please.\n\n_______________________________________________\nlamps mailing list\nlamps@example.org\nhttps://example.org/lamps",
        "Green, please.",
    ),
    "google groups footer": (
        "Green, please.\n\n-- \nYou received this message because you are subscribed to the Google Groups \"lamps\" group.\nTo unsubscribe from this group, send an email to lamps+unsubscribe@example.org.",
        "Green, please.",
    ),
    "reply above this line": (
        "Green, please.\n\n##- Please type your reply above this line -##\n\nYour request (12) has been updated.",
        "Green, please.",
    ),
    "forward with a word": (
        "Please see to it.\n\n---------- Forwarded message ---------\nFrom: Ann Smith <ann@example.org>\nDate: Mon, Nov 16, 2026 at 9:41 AM\nSubject: Lamp\nTo: <support@example.com>\n\nThe lamp is broken.\n\nAnn",
        "Please see to it.",
    ),
    "wrapped header block": (
        "Green, please.\n\nFrom: Ann Smith\n<ann@example.org>\nSent: Monday, November 16, 2026 9:41 AM\nTo: Bob Jones; Carla Brown;\n Dan Green\nSubject: Lamp\n\nWhich colour?",
        "Green, please.",
    ),
    "header block with spaces": (
        "Green, please.\n\n  From: Ann Smith <ann@example.org>\n  Sent: Monday, November 16, 2026 9:41 AM\n  To: Bob\n  Subject: Lamp\n\nWhich colour?",
        "Green, please.",
    ),
    "empty lines in the header block": (
        "Green, please.\n\nFrom: Ann Smith <ann@example.org>\n\nDate: Monday, November 16, 2026\n\nTo: Bob\n\nSubject: Lamp\n\nWhich colour?",
        "Green, please.",
    ),
    "outlook plain quote with rule": (
        "Green, please.\n\n-----Original Message-----\n> From: Ann Smith <ann@example.org>\n> Sent: Monday\n> Which colour?",
        "Green, please.",
    ),
    "japanese sign-off": ("緑でお願いします。\n\n以上\n山田花子", "緑でお願いします。"),
    "chinese sign-off": ("请发绿色的。\n\n此致\n敬礼\n李四\n2026年11月16日", "请发绿色的。"),
    "three levels": (
        "Yes.\n\nOn Tue, 17 Nov 2026 at 10:00, Bob <bob@example.org> wrote:\n> No.\n>\n> On Mon, 16 Nov 2026 at 09:41, Ann <ann@example.org> wrote:\n>> Maybe?\n>> > Never!\n",
        "Yes.",
    ),
    "attribution over an unmarked history": (
        "Yes.\n\nOn Tuesday, November 17, 2026 at 10:00:00 AM GMT+1, Bob <bob@example.org> wrote:\n\nNo.\n\nOn Monday, November 16, 2026 at 9:41:00 AM GMT+1, Ann <ann@example.org> wrote:\n\nMaybe?",
        "Yes.",
    ),
    "disclaimer below the quotation": (
        "Yes.\n\nOn Tue, 17 Nov 2026 at 10:00, Bob <bob@example.org> wrote:\n> No.\n\nThis e-mail is confidential and intended solely for the addressee.",
        "Yes.",
    ),
    "name with brackets": ("Yes.\n\nOn Tue, 17 Nov 2026 at 10:00, Bob [Example Ltd] <bob@example.org> wrote:\n> No.", "Yes."),
    "name with the word on": ("Yes.\n\nOn Tue, 17 Nov 2026 at 10:00, On Demand Shop <bob@example.org> wrote:\n\nNo.", "Yes."),
    "sentence that begins with on": (
        "On the other hand, green is nice.\n\nOn Tue, 17 Nov 2026 at 10:00, Bob <bob@example.org> wrote:\n\nNo.",
        "On the other hand, green is nice.",
    ),
    "wrapped after a sentence": (
        "I take the green one\nOn Tue, 17 Nov 2026 at 10:00, Bob Long Name of the Example Company\n<bob@example.org> wrote:\n> No.",
        "I take the green one",
    ),
    "mobile mark of a colleague above the sign-off": ("Yes.\n\nRegards\nBob\nSent from my Galaxy", "Yes."),
    "github": (
        "I can do that.\n\n—\nReply to this email directly, view it on GitHub, or unsubscribe.\nYou are receiving this because you commented.",
        "I can do that.",
    ),
}  # fmt: skip
"""What is left when the rest is folded."""
