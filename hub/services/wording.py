"""What the hub itself says in a conversation, in the languages it knows. A client may word the code in its own way."""

from typing import Final

TEXTS: Final[dict[str, dict[str, str]]] = {
    "joined": {"en": "{name} joined the conversation.", "zh": "{name} 已接入会话。"},
    "left": {"en": "{name} left the conversation.", "zh": "{name} 已离开会话。"},
    "transferred": {
        "en": "You are being transferred. You keep your place and nothing needs to be repeated.",
        "zh": "正在为您转接，您的排队位置和对话内容都会保留。",
    },
    "agent_lost": {
        "en": "The connection to {name} was lost. You are first in line for the next colleague.",
        "zh": "与 {name} 的连接中断，您将优先由下一位同事接待。",
    },
    "waiting": {
        "en": "Thank you. You are in line and will be answered soon.",
        "zh": "感谢您的留言，您已进入队列，请稍候。",
    },
    "closed": {"en": "The conversation has ended.", "zh": "会话已结束。"},
    "message_left": {
        "en": "Thank you. We have your message and will answer it.",
        "zh": "感谢您的留言，我们会尽快回复。",
    },
    "nobody_there": {
        "en": "We are sorry, nobody can answer now. Please write to us again later.",
        "zh": "抱歉，目前无人接待，请稍后再联系我们。",
    },
    "call_recorded": {"en": "The recording of the call.", "zh": "通话录音。"},
    "recording_removed": {
        "en": "There was a recording; it has been removed after its time.",
        "zh": "录音已按保留期限删除。",
    },
    "recording_agreed": {"en": "The caller agreed to being recorded.", "zh": "来电者同意录音。"},
    "recording_refused": {
        "en": "The caller did not agree to being recorded: there is no recording.",
        "zh": "来电者未同意录音：本次通话不录音。",
    },
    "message_recorded": {"en": "The customer left a spoken message.", "zh": "客户留下了语音留言。"},
    "bounced": {
        "en": "The last message could not be delivered. It shows what the other server said.",
        "zh": "上一条消息未能送达，消息上显示了对方服务器的说明。",
    },
    "undelivered": {
        "en": "A message did not reach the customer's phone. It shows why.",
        "zh": "有一条消息未能送达客户的手机，消息上显示了原因。",
    },
    "complained": {
        "en": "The recipient told their provider that they do not want these messages.",
        "zh": "收件人向其邮件服务商投诉了这些消息。",
    },
    "promise_broken": {"en": "Not kept in time: {text}", "zh": "未按时兑现：{text}"},
    "moved": {"en": "This message was moved.", "zh": "此消息已被移走。"},
    "transcript": {"en": "Transcript of your conversation", "zh": "会话记录"},
    "transcript_sent": {
        "en": "A transcript of the conversation is sent by mail.",
        "zh": "会话记录将通过邮件发送。",
    },
    "visitor_left": {"en": "The customer left the conversation.", "zh": "客户已离开会话。"},
}


def worded(code: str, language: str, **names: str) -> str:
    """Return what the hub says for a code, in this language or else in English."""
    texts = TEXTS[code]
    return texts.get(language.partition("-")[0], texts["en"]).format(**names)
