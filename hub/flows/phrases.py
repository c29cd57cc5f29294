"""The words that every flow understands and says by itself, by language: a person, help, yes and no, numbers, days."""

from functools import lru_cache
from typing import Final

from hub.domain.words import folded

LANGUAGES: Final = ("en", "zh")
"""Languages that a flow may be written in without bringing these words itself."""

PERSON: Final[dict[str, tuple[str, ...]]] = {
    "en": ("agent", "human", "person", "operator", "representative", "rep", "people", "somebody", "someone", "staff",
           "advisor", "adviser", "colleague", "employee",
           "live agent", "real person", "customer service", "0", "zero"),
    "zh": ("人工", "人工客服", "人工服务", "转人工", "真人", "客服",
           "接线员", "活人", "客服人员", "工作人员", "0", "零"),
}  # fmt: skip
"""Words for a person; what may stand around them is in `AROUND`."""

AROUND: Final[dict[str, tuple[str, ...]]] = {
    "en": ("a", "an", "the", "i", "i'd", "id", "we", "me", "us", "want", "need", "would", "like", "love", "to", "talk",
           "speak", "chat", "with", "please", "pls", "can",
           "could", "get", "let", "give", "connect", "transfer", "put",
           "through", "now", "just", "real", "live", "customer",
           "service", "support", "call", "contact", "ask", "for",
           "have", "may", "you", "my", "some", "actual", "wanna", "gimme", "hello", "hi", "no", "ok", "sorry"),
    "zh": ("请", "我", "要", "想", "找", "转", "接", "帮", "给",
           "给我", "一下", "一个", "个", "吗", "吧", "谢谢", "麻烦", "联系",
           "跟", "和", "说话", "说", "聊", "聊聊", "直接", "现在",
           "需要", "你好", "您好", "可以", "能", "不能", "有", "有没有",
           "到", "呼叫", "服务", "的", "了", "呢", "您", "你", "先", "马上", "还是", "与", "对话", "通话", "沟通"),
}  # fmt: skip

FRUSTRATED: Final[dict[str, tuple[str, ...]]] = {
    "en": ("useless", "stupid", "idiot", "ridiculous", "hate this", "hate you", "wtf", "fuck", "shit", "damn",
           "this is crap", "not working", "doesn't work", "does not work", "waste of time", "fed up", "sick of",
           "you don't understand", "you do not understand", "bloody", "rubbish", "terrible bot", "stop it",
           "are you kidding", "unacceptable", "worst"),
    "zh": ("没用", "垃圾", "废物", "傻", "智障", "投诉",
           "什么破", "烦死", "听不懂", "浪费时间", "有病", "他妈", "操你",
           "滚", "搞什么", "气死", "受不了", "太差"),
}  # fmt: skip

HELP: Final[dict[str, tuple[str, ...]]] = {
    "en": ("help", "?", "what", "what do you mean", "i don't know", "dont know", "not sure", "how", "why"),
    "zh": ("帮助", "？", "不懂", "什么意思", "不知道", "怎么", "怎么弄", "什么", "为什么"),
}
REPEAT: Final[dict[str, tuple[str, ...]]] = {
    "en": ("repeat", "again", "say again", "say that again", "pardon", "sorry", "come again", "*"),
    "zh": ("再说一遍", "重复", "再说一次", "没听清", "*"),
}
YES: Final[dict[str, tuple[str, ...]]] = {
    "en": ("yes", "y", "yeah", "yep", "yup", "sure", "ok", "okay", "correct", "right", "that's right", "of course",
           "true", "please do", "yes please", "go ahead", "fine", "absolutely", "1"),
    "zh": ("是", "是的", "对", "对的", "好", "好的", "可以", "没错",
           "嗯", "行", "要", "愿意", "同意", "确定", "正确", "有", "1"),
}  # fmt: skip
NO: Final[dict[str, tuple[str, ...]]] = {
    "en": ("no", "n", "nope", "nah", "not", "wrong", "no thanks", "no thank you", "never", "false", "incorrect",
           "not really", "don't", "2"),
    "zh": ("不", "不是", "不对", "不要", "否", "不用", "不可以", "不行",
           "没有", "不好", "错", "错了", "不愿意", "不同意", "别", "2"),
}  # fmt: skip
NEGATION: Final[dict[str, tuple[str, ...]]] = {
    "en": ("not", "no", "don't", "dont", "isn't", "without", "except"),
    "zh": ("不是", "不要", "不想", "别", "没有"),
}

VAGUE: Final[dict[str, tuple[str, ...]]] = {
    "en": ("question", "a question", "questions", "quick question", "hello", "hi", "hey", "hello there", "hi there",
           "dear all", "good morning", "good afternoon", "good evening", "help", "please help", "request", "inquiry",
           "enquiry", "message", "contact", "info", "information", "important", "urgent", "problem", "issue",
           "no subject", "(no subject)", "none", "test", "from my phone", "mail", "email", "e-mail"),
    "zh": ("问题", "一个问题", "提问", "咨询", "询问", "请教", "你好", "您好", "早上好", "下午好", "晚上好",
           "帮助", "求助", "请求", "联系", "消息", "留言", "信息", "重要", "紧急", "无主题", "(无主题)", "测试",
           "邮件"),
}  # fmt: skip
"""Subjects that stand over any letter and say nothing of it."""
_ANSWERS: Final = ("re", "aw", "sv", "fw", "fwd", "wg", "回复", "答复", "回覆", "转发", "轉寄")

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "en": ("english", "in english", "speak english", "english please", "英文", "英语"),
    "zh": ("chinese", "中文", "汉语", "普通话", "国语", "mandarin", "说中文", "华语", "in chinese"),
}
"""What a customer says to hear another language."""

NUMBERS: Final = {
    "zero": 0, "oh": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000,
}  # fmt: skip
ORDINALS: Final[dict[str, tuple[str, ...]]] = {
    "en": ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    "zh": ("第一", "第二", "第三", "第四", "第五", "第六", "第七", "第八", "第九"),
}
HAN_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
HAN_UNITS: Final = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}

WEEKDAYS: Final[dict[str, tuple[str, ...]]] = {
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "zh": ("一", "二", "三", "四", "五", "六", "日"),
}
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS: Final = {
    "today": 0, "tomorrow": 1, "day after tomorrow": 2, "yesterday": -1,
    "今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3, "昨天": -1,
}  # fmt: skip

SAID: Final[dict[str, dict[str, str]]] = {
    "person": {
        "en": "I am connecting you with a colleague. What you have told me goes along.",
        "zh": "正在为您转接人工客服，您提供的信息会一并转达。",
    },
    "again": {"en": "Sorry, I did not understand that.", "zh": "抱歉，我没有听懂。"},
    "silent": {"en": "Are you still there?", "zh": "您还在吗？"},
    "confirm": {"en": "Do you mean “{label}”?", "zh": "您是说“{label}”吗？"},
    "choose": {"en": "Please choose one of these.", "zh": "请从以下选项中选择。"},
    "yes": {"en": "Yes", "zh": "是"},
    "no": {"en": "No", "zh": "否"},
    "wait": {"en": "One moment, I am still looking.", "zh": "请稍候，我还在查询。"},
    "booked": {"en": "We will call you back on {phone}.", "zh": "我们会拨打 {phone} 给您回电。"},
    "taken": {"en": "Thank you. We have your message and will answer it.", "zh": "谢谢，我们会尽快回复您的留言。"},
    "bye": {"en": "Thank you. Goodbye.", "zh": "谢谢，再见。"},
    "not_sent": {
        "en": "I am sorry, I could not send you that message.",
        "zh": "抱歉，这条消息没能发送给您。",
    },
    "number": {"en": "Please give me a number.", "zh": "请告诉我一个数字。"},
    "date": {
        "en": "Please give me a day, for example 24 December or tomorrow.",
        "zh": "请告诉我日期，例如12月24日或明天。",
    },
    "amount": {"en": "Please give me an amount, for example 12.50.", "zh": "请告诉我金额，例如12.50。"},
    "phone": {"en": "Please give me a phone number with its area code.", "zh": "请告诉我电话号码，包括区号。"},
    "email": {"en": "Please give me an e-mail address.", "zh": "请告诉我电子邮箱地址。"},
    "pattern": {"en": "It looks like this: {example}.", "zh": "格式如下：{example}。"},
    "yes_no": {"en": "Please say yes or no.", "zh": "请回答是或否。"},
    "text": {"en": "Please tell me in a few words.", "zh": "请简单说一下。"},
    "too_small": {"en": "It has to be at least {bound}.", "zh": "至少是{bound}。"},
    "too_large": {"en": "It can be at most {bound}.", "zh": "最多是{bound}。"},
}  # fmt: skip
"""What a flow says without being written."""


def base(language: str) -> str:
    """Return the language without its region."""
    return language.partition("-")[0].lower()


def said(code: str, language: str, **values: str) -> str:
    """Return what is said for a code, in this language or else in English."""
    texts = SAID[code]
    return texts.get(base(language), texts["en"]).format(**values)


def bare(text: str) -> str:
    """Return a text as phrases are compared: folded, without marks at its ends, single spaces."""
    return " ".join(folded(text).replace("\u2019", "'").strip(" .,!?;:。，！？；：…~\"'“”()").split())


@lru_cache(maxsize=200)
def _folded_all(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(folded, words))


def is_one_of(text: str, table: dict[str, tuple[str, ...]], languages: tuple[str, ...]) -> bool:
    """Whether a text is one of the phrases of these languages, and nothing else."""
    plain = bare(text) or folded(text).strip()
    return any(plain in _folded_all(table.get(base(language), ())) for language in languages)


def wants_person(text: str) -> bool:
    """Whether somebody asks for a person and for nothing else: `agent`, `can I talk to someone please`, `转人工`.

    "Agent Street 5" is an address: words that are neither a person nor around one make it something else.
    """
    plain = bare(text)[:120]
    if not plain:
        return False
    if plain.isascii():
        people, around = _folded_all(PERSON["en"]), _folded_all(AROUND["en"])
        words = plain.replace("customer service", "agent").replace("live agent", "agent").split()
        if plain in people:
            return True
        return any(word in people for word in words) and all(word in people or word in around for word in words)
    left = plain.replace(" ", "")
    named = False
    for phrase in _LONGEST:
        if phrase in left:
            named = named or phrase in PERSON["zh"]
            left = left.replace(phrase, "")
    return named and not left.strip("，。！？、,.!? ")


def is_vague(subject: str) -> bool:
    """Whether a letter's subject says nothing of what it is about: `Hello`, `Re: Question`, `咨询`, or nothing."""
    rest = bare(subject[:200])
    while (parts := rest.replace("：", ":", 1).partition(":"))[1] and parts[0].strip() in _ANSWERS:
        rest = bare(parts[2])
    return rest in {"", *_ANSWERS} or any(rest in _folded_all(words) for words in VAGUE.values())


def is_frustrated(text: str) -> bool:
    """Whether somebody has had enough of talking to a machine."""
    plain = f" {bare(text)[:500]} "
    return any(f" {phrase} " in plain for phrase in FRUSTRATED["en"]) or any(
        phrase in plain for phrase in FRUSTRATED["zh"]
    )


def language_named(text: str, languages: tuple[str, ...], current: str) -> str:
    """Return the other language that somebody asks for by name, or writes in; "" when it is none."""
    plain = bare(text)
    for language in languages:
        if base(language) != base(current) and plain in NAMES.get(base(language), ()):
            return language
    written = sum("\u4e00" <= c <= "\u9fff" for c in text[:200])
    chinese = [language for language in languages if base(language) == "zh"]
    is_chinese = written >= 2 and written * 2 >= len(plain[:200].replace(" ", ""))
    return chinese[0] if chinese and is_chinese and base(current) != "zh" else ""


_LONGEST: Final = sorted({*PERSON["zh"], *AROUND["zh"]}, key=len, reverse=True)
