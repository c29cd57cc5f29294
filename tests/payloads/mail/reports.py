"""Reports of mail systems in their own forms, made anew after them: (mail, kind, recipient, status, Message-ID)."""

# ruff: noqa: E501, RUF001

from channels.mail.bounces import BounceKind
from tests.payloads.mail.builders import mail, multipart_mail, nested, part

FAILED, DELAYED = BounceKind.FAILED, BounceKind.DELAYED
OURS = "<hub.42@support.example.com>"
COPY = f"Return-Path: <support@example.com>\nFrom: support@example.com\nTo: bob@example.net\nSubject: Your lamp\nMessage-ID: {OURS}\n\nHello"
DAEMON = "MAILER-DAEMON@mx.example.net"


def _dsn(status: str, text: str = "Delivery failed.", original: str = COPY) -> bytes:
    return multipart_mail(
        part(text),
        part(status, "message/delivery-status"),
        part(original, "message/rfc822"),
        kind="report; report-type=delivery-status",
        From=f"Mail Delivery System <{DAEMON}>",
        Subject="Undelivered Mail Returned to Sender",
        Auto_Submitted="auto-replied",
    )


def _words(text: str, sender: str = DAEMON, subject: str = "failure notice", **fields: str) -> bytes:
    return mail(text, From=sender, Subject=subject, To="support@example.com", **fields)


REPORTS: dict[str, tuple[bytes, BounceKind, str, str, str]] = {
    "postfix": (_dsn("Reporting-MTA: dns; mx.example.com\nX-Postfix-Queue-ID: 1\n\nFinal-Recipient: rfc822; bob@example.net\nOriginal-Recipient: rfc822;bob@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <bob@example.net>: no such user\n"), FAILED, "bob@example.net", "5.1.1", OURS),
    "gmail": (_dsn("Reporting-MTA: dns; googlemail.com\n\nFinal-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.net\nDiagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.\n"), FAILED, "bob@example.net", "5.1.1", OURS),
    "exchange": (_dsn("Reporting-MTA: dns;EX01.example.net\n\nFinal-recipient: RFC822;bob@example.net\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp;550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized\nX-Display-Name: Bob\n"), FAILED, "bob@example.net", "5.7.1", OURS),
    "delayed": (_dsn("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; bob@example.net\nAction: delayed\nStatus: 4.4.1\nWill-Retry-Until: Tue, 17 Nov 2026\n"), DELAYED, "bob@example.net", "4.4.1", OURS),
    "no empty line between blocks": (_dsn("Reporting-MTA: dns; mx\nFinal-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.0.0\n"), FAILED, "bob@example.net", "5.0.0", OURS),
    "status only in the diagnosis": (_dsn("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; bob@example.net\nAction: failed\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\n"), FAILED, "bob@example.net", "5.2.2", OURS),
    "headers only": (multipart_mail(part("failed"), part("Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\n", "message/delivery-status"), part(f"Message-ID: {OURS}\nSubject: x\n", "text/rfc822-headers"), kind="report", From=DAEMON), FAILED, "bob@example.net", "5.1.1", OURS),
    "report inside mixed": (multipart_mail(nested(part("failed"), part("Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\n", "message/delivery-status"), kind="report"), From=DAEMON), FAILED, "bob@example.net", "5.1.1", ""),
    "qmail": (_words(f"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<bob@example.net>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\n\n--- Below this line is a copy of the message.\n\n{COPY}"), FAILED, "bob@example.net", "5.1.1", OURS),
    "exim": (_words(f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  bob@example.net\n    host mx.example.net [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<bob@example.net>:\n    550 5.1.1 no such mailbox\n\n------ This is a copy of the message, including all the headers. ------\n\n{COPY}", subject="Mail delivery failed: returning message to sender", X_Failed_Recipients="bob@example.net"), FAILED, "bob@example.net", "5.1.1", OURS),
    "exim warning": (_words("This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.com.\n\nThe address to which the message has not yet been delivered is:\n\n  bob@example.net\n\nNo action is required on your part. Delivery attempts will continue.\n", subject="Warning: message 1 delayed 24 hours"), DELAYED, "bob@example.net", "4.0.0", ""),
    "sendmail": (_words(f"The original message was received at Mon, 16 Nov 2026\nfrom support@example.com\n\n   ----- The following addresses had permanent fatal errors -----\n<bob@example.net>\n    (reason: 550 5.1.1 <bob@example.net>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> DATA\n<<< 550 5.1.1 User unknown\n\n   ----- Original message follows -----\n\n{COPY}", subject="Returned mail: see transcript for details"), FAILED, "bob@example.net", "5.1.1", OURS),
    "yahoo": (_words(f"Message from yahoo.com.\nUnable to deliver message to the following address(es).\n\n<bob@example.net>:\nThis user doesn't have a yahoo.com account (bob@example.net) [-9]\n\n--- Original message follows.\n\n{COPY}", subject="Delivery failure"), FAILED, "bob@example.net", "5.1.1", OURS),
    "exchange in words": (_words("Delivery has failed to these recipients or groups:\n\nBob (bob@example.net)<mailto:bob@example.net>\nThe email address you entered couldn't be found.\n\nDiagnostic information for administrators:\n\nGenerating server: EX01.example.net\n\nbob@example.net\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'\n", sender="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.net>", subject="Undeliverable: Your lamp"), FAILED, "bob@example.net", "5.1.10", ""),
    "exchange in german": (_words("Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\nbob@example.net\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n", sender="Microsoft Outlook <postmaster@example.net>", subject="Unzustellbar: Ihre Lampe"), FAILED, "bob@example.net", "5.1.1", ""),
    "qq": (_words("抱歉，您的邮件被退回来了……\n原邮件信息：\n时间 2026-11-16 09:41:12\n主题 订单\n收件人 bob@example.net\n退信原因：\n收件人邮箱地址不存在，邮件无法送达。\nhost mx.example.net[192.0.2.1] said: 550 Mailbox not found\n", sender="PostMaster@qq.com", subject="来自qq.com的退信"), FAILED, "bob@example.net", "5.1.1", ""),
    "163": (_words("您的邮件没能发送成功\n\n退信原因：\n收件人：bob@example.net 的邮箱空间已满\nSMTP error, RCPT TO: 552 Quota exceeded\n", sender="Postmaster@163.com", subject="系统退信"), FAILED, "bob@example.net", "5.2.2", ""),
    "aliyun": (_words("您的邮件未能投递给以下收件人：\n\nbob@example.net\n\n原因：550 5.1.1 User unknown\n", sender="MAILER-DAEMON@aliyun.com", subject="退信通知 Undelivered Mail"), FAILED, "bob@example.net", "5.1.1", ""),
    "mail.ru": (_words("Это письмо создано автоматически сервером Mail.Ru.\n\nК сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\nbob@example.net\nTo: mailbox is full\n", sender="mailer-daemon@corp.mail.ru", subject="Ваше сообщение не доставлено. Mail failure."), FAILED, "bob@example.net", "5.2.2", ""),
    "french": (_words("Votre message n'a pas pu être remis aux destinataires suivants :\n\nbob@example.net\n\n550 5.1.1 inconnu\n", subject="Échec de remise"), FAILED, "bob@example.net", "5.1.1", ""),
    "complaint": (multipart_mail(part("This is an abuse report."), part("Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: bob@example.net\n", "message/feedback-report"), part(COPY, "message/rfc822"), kind="report; report-type=feedback-report", From="staff@isp.example"), BounceKind.COMPLAINT, "bob@example.net", "", OURS),
    "read": (multipart_mail(part("Your message was read."), part(f"Final-Recipient: rfc822; bob@example.net\nOriginal-Message-ID: {OURS}\nDisposition: manual-action/MDN-sent-manually; displayed\n", "message/disposition-notification"), kind="report", From="bob@example.net"), BounceKind.READ, "bob@example.net", "", OURS),
    "delivered": (_dsn("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; bob@example.net\nAction: delivered\nStatus: 2.0.0\n"), BounceKind.DELIVERED, "bob@example.net", "2.0.0", OURS),
    "two recipients, one failed": (_dsn("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; carla@example.net\nAction: delivered\nStatus: 2.0.0\n\nFinal-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\n"), FAILED, "bob@example.net", "5.1.1", OURS),
}  # fmt: skip

NO_REPORTS: dict[str, bytes] = {
    "a parcel that could not be delivered": mail("My parcel could not be delivered. Delivery failed twice.", Subject="Delivery failed"),
    "a question about a bounce": mail("> 550 5.1.1 user unknown\nWhat does this mean?", Subject="Re: Undelivered Mail Returned to Sender"),
    "a forwarded bounce": mail("FYI, could not be delivered to bob@example.net", Subject="Fwd: failure notice"),
    "a person at postmaster": mail("Please answer my question about your mails to us.", From="Postmaster <postmaster@example.org>", Subject="A question"),
    "an out of office": mail("I am away until Friday.", Subject="Automatic reply: Lamp", Auto_Submitted="auto-replied", Return_Path="<>"),
    "plain": mail(),
}  # fmt: skip
