"""The words of mail systems that report failures in a form of their own: tables, no logic."""

# ruff: noqa: E501, RUF001
import re

SYSTEM = re.compile(
    r"(?:mailer-?daemon|postmaster|mail-?daemon|mdaemon|daemon|mail-?delivery(?:-?(?:system|subsystem|service))?|microsoftexchange[0-9a-f]{4,40}|ndr|bounces?"
    r"|mail-?system|mailadm|smtpd?|autoreply-mail|mail-?administrator|postoffice|uucp|no-?reply-bounce|admin-postmaster|emailadmin)\Z",
    re.IGNORECASE,
)
SYSTEM_NAME = re.compile(
    r"mail(?:er)?[\s-]?(?:delivery|daemon|system|subsystem|administrator)|delivery (?:subsystem|system|service)|postmaster|microsoft outlook\Z|system administrator"
    r"|mail router|internet mail|systemadministrator|系统管理员|邮件(?:投递)?系统|退信",
    re.IGNORECASE,
)
SUBJECT = re.compile(
    r"undeliver(?:able|ed)|delivery (?:status notification|failure|failed|report|problem|notification|has failed|error|delayed|incomplete)|return(?:ed)? (?:mail|to sender|message|e-?mail)|failure notice"
    r"|mail (?:delivery|could not be|system error|failure|undeliverable|not delivered)|message (?:undeliver|could not be|status|delayed|not delivered)|failed delivery|non[- ]delivery"
    r"|delivery\b.{0,20}\bfail|could not (?:be )?deliver|bounced? (?:message|mail)|user unknown|nondeliverable|warning: (?:could not send|message|e-?mail).{0,60}|\bdelayed\b.{0,20}(?:mail|message)|rejected: |undelivered mail"
    r"|unzustellbar|nicht zustellbar|zustell(?:ung|fehler|bericht)|mail konnte nicht|non remis|impossible de remettre|[ée]chec de (?:la )?remise|non distribu|no se (?:puede|pudo|ha podido) entregar|no entregado|devuelto"
    r"|n[ãa]o (?:foi )?entreg|falha na entrega|impossibile recapitare|mancato recapito|non recapitabile|onbestelbaar|kan niet worden bezorgd|niedostarczon|nie można dostarczyć|zwrot wiadomości"
    r"|не(?:возможно)? достав|недоставлен|не доставлено|teslim edileme|iletileme|未送达|未送達|退信|无法(?:投递|送达|发送)|無法(?:投遞|傳遞|送達)|投递失败|寄送失敗|邮件(?:发送)?失败|發送失敗|未能送达|被退回|退回"
    r"|配信(?:不能|できません|エラー)|送信できませんでした|未配信|不達|배달(?:되지| 실패| 할 수)|전송 실패|반송|수신 실패|olevererbar|ej levererat|kunne ikke leveres|ikke levert|ei voitu toimittaa|nedoručiteln|kézbesíthetetlen|邮件递送失败",
    re.IGNORECASE,
)
WORDS = re.compile(
    r"could(?:n't| not) be (?:delivered|sent)|unable to deliver|wasn't able to deliver|was(?: not|n't) delivered|can(?:not|'t) (?:be )?deliver|not able to deliver|undeliverable|not be delivered"
    r"|delivery (?:to|of|attempt|has failed|failed)|(?:permanent|fatal|transient|non-fatal) errors?|following (?:address|recipient)(?:es|s|\(es\)|\(s\))?|did not reach|returned to (?:sender|you)|did not (?:reach|receive)|(?:has been|is|was) returned|reason for return|pas pu [êe]tre (?:d[ée]livr|remis|distribu)|has been (?:delayed|rejected)"
    r"|user unknown|unknown user|no such (?:user|mailbox|recipient|person)|mailbox (?:is )?(?:full|unavailable|not found|does not)|quota|not (?:listed|found) in|unknown (?:recipient|address|local)|doesn't have an? .{1,40} account"
    r"|failed (?:recipient|address|to deliver)|recipient(?:'s)? (?:address )?(?:rejected|unknown|not|mailbox)|undelivered|is not (?:a )?(?:known|valid)|addresses? (?:had|failed|were|was)|invalid (?:recipient|address|mailbox|user)"
    r"|konnte(?:n)? (?:leider )?nicht (?:zugestellt|übermittelt|ausgeliefert|gesendet)|nicht zugestellt|n'a (?:pas )?pu [êe]tre|n'a pas [ée]t[ée] (?:remis|distribu)|no (?:se )?(?:ha )?(?:podido|pudo) (?:ser )?(?:entreg|envia)|n[ãa]o (?:p[ôo]de|foi) (?:ser )?entreg"
    r"|non (?:è stato|è stata|ha potuto|può essere) (?:possibile )?(?:recapit|consegn)|kon niet worden (?:bezorgd|afgeleverd)|nie (?:mogła|mógł|została|zostało) (?:zostać )?(?:dostarcz)|не (?:может быть|было|удалось|доставлен)|teslim edilemedi|iletilemedi"
    r"|无法(?:投递|送达|发送|投送|被送达)|無法(?:投遞|傳遞|送達|寄送)|退信原因|退信|未能(?:成功)?(?:投递|送达)|发送失败|投递失败|收件人(?:邮箱)?(?:不存在|已满|地址)|不存在|拒收|被退回|配信でき|送信でき|届けられません|宛先.{0,20}(?:不明|見つかりません)|배달(?:하지|되지)|전송(?:하지|되지) 못|수신자를 찾을 수 없"
    r"|we were not able|unfortunately.{0,60}deliver|this is a (?:permanent|warning)|sorry.{0,80}(?:deliver|find|mailbox)|message was created automatically by mail|this is the (?:mail system|postfix|machine generated)|<<< 5\d\d|smtp error|reason[s]? for failure|problem(?:s)? delivering",
    re.IGNORECASE,
)
NOT_BOUNCE = re.compile(r"\A(?:re|aw|antw|sv|fw|fwd|wg|答复|回复|转发)\s*[:：]", re.IGNORECASE)
DELAY = re.compile(
    r"delayed|delivery attempts will continue|continue to try|been postponed|delivery warning|will (?:keep|continue) (?:on )?trying|still (?:being|trying|in the queue)|not yet been delivered|will be retried|no action is required|you do not need to resend|this is a warning|warning message|could not send (?:message )?for|warning: (?:could|message)"
    r"|temporar(?:y|ily) (?:failure|problem|unable|undeliverable|delivery)|verzögert|retard[ée]|retrasad|atrasad|ritardat|vertraagd|opóźni|задержан|延迟|延遲|遅延|지연|will try again|transient non-fatal|has not been delivered (?:yet|within)",
    re.IGNORECASE,
)
GIVEN_UP = re.compile(
    r"permanent (?:error|failure|fatal)|given up|giving up|i've given up|failed permanently|no further attempts|will not be retried|delivery time expired|message expired",
    re.IGNORECASE,
)
COPY = re.compile(
    r"^[\s>]{0,4}(?:-{2,80}\s{0,5})?(?:(?:this is|below (?:this|the next) line is|here is|the following is|included is|attached is|enclosed is)?\s{0,5}(?:a |the )?copy of (?:the |your )?(?:original )?(?:message|mail|headers|body)"
    r"|original message(?! details| information|信息)(?: follows| headers| text)?|(?:the |your )?(?:message|mail|text) headers? follows?|unsent message (?:below|follows)|returned (?:message|mail) (?:follows|below)|message (?:header|text|contents?)s? (?:follows?|begins?)|start of returned message"
    r"|header of the original|begin message|original mail|copie du message|kopie der nachricht|ursprüngliche nachricht|текст (?:исходного|вашего) (?:сообщения|письма))[^\n]{0,80}$"
    r"|^[\s>]{0,4}-{2,80}\s{0,5}(?:下面是|附件|原始邮件|原邮件|以下是|原信|原文)[^\n]{0,80}$"
    r"|^(?:return-path: ?<|received: (?:from|by|\())",
    re.IGNORECASE | re.MULTILINE,
)
MESSAGE_ID = re.compile(
    r"^[\s>|]{0,12}(?:message[ -]?id|internet-?message-?id|邮件编号|邮件id)\s*[:：]\s*(<[^<>\s]{3,900}>)",
    re.IGNORECASE | re.MULTILINE,
)
STATUS_WORDS = (
    (re.compile(r"mailbox (?:is )?full|over ?(?:disk )?quota|quota exceeded|exceed(?:s|ed|ing)? (?:\w+ ){0,3}quota|insufficient (?:disk|system)|full mailbox|邮箱(?:空间)?(?:已满|不足)|郵箱已滿|postfach (?:ist )?voll|bo[iî]te .{0,20}pleine|buz[oó]n lleno|casella piena|переполнен", re.IGNORECASE), "5.2.2"),
    (re.compile(r"user unknown|user not found|unknown user|no such (?:user|mailbox|recipient|person|account|address)|does(?:n't| not) (?:exist|have an?)|not (?:listed|found) in|unknown (?:recipient|local|address|or illegal)|mailbox (?:unavailable|not found|does not exist)|invalid (?:recipient|mailbox|user|address)|recipient (?:not found|unknown|address rejected)|account .{0,40}(?:disabled|does not)|不存在|查无此人|no existe|n'existe pas|unbekannt|не существует|nicht gefunden|bulunamadı|存在しません", re.IGNORECASE), "5.1.1"),
    (re.compile(r"host (?:unknown|not found)|unknown host|domain (?:not found|does not exist)|unrouteable|no mx|name or service not known|couldn't find any host|域名不存在|dns error", re.IGNORECASE), "5.1.2"),
    (re.compile(r"spam|blacklist|blocked|listed (?:in|at|by)|policy|rejected by|拒收|垃圾", re.IGNORECASE), "5.7.1"),
    (re.compile(r"message (?:too (?:large|big)|size exceeds)|exceeds? (?:the )?(?:maximum|size)|too large|邮件过大", re.IGNORECASE), "5.3.4"),
    (re.compile(r"relay(?:ing)? (?:denied|not|access)|unable to relay|access denied", re.IGNORECASE), "5.7.1"),
    (re.compile(r"timed? ?out|connection (?:refused|dropped|timed)|no route|not responding|could not connect|超时", re.IGNORECASE), "4.4.1"),
)  # fmt: skip
"""Words that stand for a status code when none is given (RFC 3463); first match wins."""
