"""What our own mails say around an agent's words, in the languages they are written in."""

# ruff: noqa: RUF001

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar

from channels.mail.threads import is_reply_subject, without_marks

T = TypeVar("T")
WROTE: Final = {
    "en": "On {date}, {name} wrote:",
    "zh": "在 {date}，{name} 写道：",
    "de": "Am {date} schrieb {name}:",
    "fr": "Le {date}, {name} a écrit :",
    "es": "El {date}, {name} escribió:",
    "pt": "Em {date}, {name} escreveu:",
    "it": "Il giorno {date} {name} ha scritto:",
    "nl": "Op {date} schreef {name}:",
    "pl": "W dniu {date} {name} napisał(a):",
    "ru": "{date}, {name} пишет:",
    "tr": "{date} tarihinde {name} şunu yazdı:",
    "ja": "{date} {name}:",
    "ko": "{date}에 {name}님이 작성:",
}
FORWARDED: Final = {
    "en": ("Forwarded message", "From", "Date", "Subject", "To", "Cc"),
    "zh": ("转发的邮件", "发件人", "日期", "主题", "收件人", "抄送"),
    "de": ("Weitergeleitete Nachricht", "Von", "Datum", "Betreff", "An", "Cc"),
    "fr": ("Message transféré", "De", "Date", "Objet", "À", "Cc"),
    "es": ("Mensaje reenviado", "De", "Fecha", "Asunto", "Para", "Cc"),
    "pt": ("Mensagem encaminhada", "De", "Data", "Assunto", "Para", "Cc"),
    "it": ("Messaggio inoltrato", "Da", "Data", "Oggetto", "A", "Cc"),
    "nl": ("Doorgestuurd bericht", "Van", "Datum", "Onderwerp", "Aan", "Cc"),
    "pl": ("Wiadomość przekazana dalej", "Od", "Data", "Temat", "Do", "DW"),
    "ru": ("Пересылаемое сообщение", "От", "Дата", "Тема", "Кому", "Копия"),
    "tr": ("Yönlendirilen ileti", "Kimden", "Tarih", "Konu", "Kime", "Bilgi"),
    "ja": ("転送されたメッセージ", "差出人", "日付", "件名", "宛先", "Cc"),
    "ko": ("전달된 메일", "보낸 사람", "날짜", "제목", "받는 사람", "참조"),
}
_HOURS: Final = {
    "en": ("{n} minutes", "{n} hours", "{n} days"),
    "zh": ("{n} 分钟", "{n} 小时", "{n} 天"),
    "de": ("{n} Minuten", "{n} Stunden", "{n} Tagen"),
    "fr": ("{n} minutes", "{n} heures", "{n} jours"),
    "es": ("{n} minutos", "{n} horas", "{n} días"),
    "pt": ("{n} minutos", "{n} horas", "{n} dias"),
    "it": ("{n} minuti", "{n} ore", "{n} giorni"),
    "nl": ("{n} minuten", "{n} uur", "{n} dagen"),
    "pl": ("{n} minut", "{n} godzin", "{n} dni"),
    "ru": ("{n} мин", "{n} ч", "{n} дн."),
    "tr": ("{n} dakika", "{n} saat", "{n} gün"),
    "ja": ("{n} 分", "{n} 時間", "{n} 日"),
    "ko": ("{n}분", "{n}시간", "{n}일"),
}


def of(texts: Mapping[str, T], language: str) -> T:
    """The text in this language, else in English."""
    return texts.get(language.partition("-")[0].lower(), texts["en"])


def moment(at: datetime) -> str:
    """A date as everybody reads it, with its zone."""
    return at.strftime("%Y-%m-%d %H:%M %Z").strip()


def duration(seconds: int, language: str) -> str:
    """A time in words, rounded up to what people say."""
    minutes, hours, days = of(_HOURS, language)
    if seconds < 7_200:
        return minutes.format(n=max(-(-seconds // 300) * 5, 5))
    if seconds < 172_800:
        return hours.format(n=-(-seconds // 3_600))
    return days.format(n=-(-seconds // 86_400))


def answer_subject(subject: str, mode: str) -> str:
    """ "Re: " or "Fwd: " before a subject, without the marks that it carries already, in whatever language."""
    mark = "Fwd" if mode == "forward" else "Re"
    rest = without_marks(subject) if mode == "forward" or is_reply_subject(subject) else " ".join(subject.split())
    return f"{mark}: {rest}".strip()
