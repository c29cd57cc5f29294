"""How clients of the world announce what they quote: the lines themselves, for building mails of every layout."""

# ruff: noqa: E501, RUF001, SIM905

ATTRIBUTIONS: dict[str, str] = {
    # English
    "gmail-en": "On Mon, Nov 16, 2026 at 9:41 AM Ann Smith <ann@example.org> wrote:",
    "gmail-en-wrapped": "On Mon, Nov 16, 2026 at 9:41 AM Ann Margaret Smith-Jones <\nann.smith-jones@example.org> wrote:",
    "gmail-en-24h": "On Mon, 16 Nov 2026 at 09:41, Ann Smith <ann@example.org> wrote:",
    "apple-en": "On Nov 16, 2026, at 9:41 AM, Ann Smith <ann@example.org> wrote:",
    "apple-en-day-first": "On 16 Nov 2026, at 09:41, Ann Smith <ann@example.org> wrote:",
    "thunderbird-en": "On 11/16/26 09:41, Ann Smith wrote:",
    "thunderbird-en-iso": "On 2026-11-16 09:41, Ann Smith wrote:",
    "yahoo-en": "On Monday, November 16, 2026, 09:41:12 AM EST, Ann Smith <ann@example.org> wrote:",
    "yahoo-en-wrapped": "    On Monday, November 16, 2026, 09:41:12 AM EST, Ann Smith\n<ann@example.org> wrote:",
    "proton-en": "On Monday, November 16th, 2026 at 9:41 AM, Ann Smith <ann@example.org> wrote:",
    "fastmail-en": "On Mon, Nov 16, 2026, at 9:41 AM, Ann Smith wrote:",
    "mutt": "On Mon, Nov 16, 2026 at 09:41:12AM +0100, Ann Smith wrote:",
    "gnus": "Ann Smith <ann@example.org> writes:",
    "pine": "On Mon, 16 Nov 2026, Ann Smith wrote:",
    "evolution": "On Mon, 2026-11-16 at 09:41 +0000, Ann Smith wrote:",
    "zoho": "---- On Mon, 16 Nov 2026 09:41:12 +0530 Ann Smith <ann@example.org> wrote ----",
    "eudora": "At 09:41 AM 11/16/2026, Ann Smith wrote:",
    "name-first": "Ann Smith <ann@example.org> wrote on 16 Nov 2026 at 09:41:",
    "via": "Ann Smith via Support <support@example.org> wrote:",
    "horde": "Quoting Ann Smith <ann@example.org>:",
    "old-gmail": "2026-11-16 9:41 GMT+01:00 Ann Smith <ann@example.org>:",
    # German
    "gmail-de": "Am Mo., 16. Nov. 2026 um 09:41 Uhr schrieb Ann Schmidt <ann@example.org>:",
    "gmail-de-wrapped": "Am Mo., 16. Nov. 2026 um 09:41 Uhr schrieb Ann-Katrin Schmidt-Meier <\nann.schmidt-meier@example.org>:",
    "apple-de": "Am 16.11.2026 um 09:41 schrieb Ann Schmidt <ann@example.org>:",
    "thunderbird-de": "Am 16.11.26 um 09:41 schrieb Ann Schmidt:",
    "proton-de": "Ann Schmidt <ann@example.org> schrieb am Montag, 16. November 2026 um 09:41:",
    "webde-de": "Ann Schmidt <ann@example.org> schrieb am 16.11.2026 09:41 CET:",
    "apple-de-hat": "Am 16. Nov. 2026 um 09:41 hat Ann Schmidt <ann@example.org> geschrieben:",
    "horde-de": "Zitat von Ann Schmidt <ann@example.org>:",
    # French
    "gmail-fr": "Le lun. 16 nov. 2026 à 09:41, Anne Petit <anne@example.org> a écrit :",
    "gmail-fr-wrapped": "Le lun. 16 nov. 2026 à 09:41, Anne-Marie Petit-Dubois <anne.petit@example.org> a\nécrit :",
    "apple-fr": "Le 16 nov. 2026 à 09:41, Anne Petit <anne@example.org> a écrit :",
    "thunderbird-fr": "Le 16/11/2026 à 09:41, Anne Petit a écrit :",
    "orange-fr": '> Message du 16/11/26 09:41\n> De : "Anne Petit" <anne@example.org>',
    "yahoo-fr": "Le lundi 16 novembre 2026 à 09:41:12 UTC+1, Anne Petit <anne@example.org> a écrit :",
    # Spanish
    "gmail-es": "El lun, 16 nov 2026 a las 9:41, Ana García (<ana@example.org>) escribió:",
    "apple-es": "El 16 nov 2026, a las 9:41, Ana García <ana@example.org> escribió:",
    "thunderbird-es": "El 16/11/26 a las 9:41, Ana García escribió:",
    "yahoo-es": "El lunes, 16 de noviembre de 2026, 09:41:12 CET, Ana García <ana@example.org> escribió:",
    # Portuguese
    "gmail-pt": "Em seg., 16 de nov. de 2026 às 09:41, Ana Souza <ana@example.org> escreveu:",
    "apple-pt": "Em 16 de nov. de 2026, à(s) 09:41, Ana Souza <ana@example.org> escreveu:",
    "thunderbird-pt": "Em 16/11/2026 09:41, Ana Souza escreveu:",
    "gmail-pt-pt": "Ana Souza <ana@example.org> escreveu no dia segunda, 16/11/2026 à(s) 09:41:",
    # Italian
    "gmail-it": "Il giorno lun 16 nov 2026 alle ore 09:41 Anna Rossi <anna@example.org> ha scritto:",
    "gmail-it-wrapped": "Il giorno lun 16 nov 2026 alle ore 09:41 Anna Maria Rossi <anna@example.org>\nha scritto:",
    "apple-it": "Il giorno 16 nov 2026, alle ore 09:41, Anna Rossi <anna@example.org> ha scritto:",
    "thunderbird-it": "Il 16/11/26 09:41, Anna Rossi ha scritto:",
    "outlook-web-it": "In data 16 novembre 2026 09:41, Anna Rossi <anna@example.org> ha scritto:",
    # Dutch
    "gmail-nl": "Op ma 16 nov 2026 om 09:41 schreef Anna de Vries <anna@example.org>:",
    "apple-nl": "Op 16 nov 2026, om 09:41 heeft Anna de Vries <anna@example.org> het volgende geschreven:",
    "thunderbird-nl": "Op 16-11-2026 om 09:41 schreef Anna de Vries:",
    # Polish
    "gmail-pl": "pon., 16 lis 2026 o 09:41 Anna Nowak <anna@example.org> napisał(a):",
    "apple-pl": "Wiadomość napisana przez Anna Nowak <anna@example.org> w dniu 16.11.2026, o godz. 09:41:",
    "thunderbird-pl": "W dniu 16.11.2026 o 09:41, Anna Nowak pisze:",
    "onet-pl": "W dniu 2026-11-16 09:41:12 użytkownik Anna Nowak <anna@example.org> napisał:",
    "wp-pl": "Dnia 16 listopada 2026 09:41 Anna Nowak <anna@example.org> napisał(a):",
    # Russian, Ukrainian
    "gmail-ru": "пн, 16 нояб. 2026 г. в 09:41, Анна Иванова <anna@example.org>:",
    "apple-ru": "16 нояб. 2026 г., в 09:41, Анна Иванова <anna@example.org> написал(а):",
    "thunderbird-ru": "16.11.2026 09:41, Анна Иванова пишет:",
    "mailru": "Понедельник, 16 ноября 2026, 9:41 +03:00 от Анна Иванова <anna@example.org>:",
    "yandex-ru": '16.11.2026, 09:41, "Анна Иванова" <anna@example.org>:',
    "gmail-uk": "пн, 16 лист. 2026 р. о 09:41 Анна Коваль <anna@example.org> пише:",
    # Turkish
    "gmail-tr": "Ayşe Yılmaz <ayse@example.org>, 16 Kas 2026 Pzt, 09:41 tarihinde şunu yazdı:",
    "gmail-tr-wrapped": "Ayşe Yılmaz <ayse@example.org>, 16 Kas 2026 Pzt, 09:41 tarihinde\nşunu yazdı:",
    "apple-tr": "Ayşe Yılmaz <ayse@example.org> şunları yazdı (16 Kas 2026 09:41):",
    "thunderbird-tr": "16.11.2026 09:41 tarihinde Ayşe Yılmaz yazdı:",
    # Japanese
    "gmail-ja": "2026年11月16日(月) 9:41 山田花子 <hanako@example.org>:",
    "gmail-ja-wrapped": "2026年11月16日(月) 9:41 山田花子(株式会社サンプル 営業部) <hanako.yamada@example.org\n>:",
    "apple-ja": "2026/11/16 9:41、山田花子 <hanako@example.org>のメール:",
    "apple-ja-new": "2026/11/16 9:41、山田花子 <hanako@example.org>のメッセージ:",
    "thunderbird-ja": "On 2026/11/16 9:41, 山田花子 wrote:",
    # Korean
    "gmail-ko": "2026년 11월 16일 (월) 오전 9:41, 김영희 <younghee@example.org>님이 작성:",
    "apple-ko": "2026. 11. 16. 오전 9:41, 김영희 <younghee@example.org> 작성:",
    "thunderbird-ko": "2026-11-16 오전 9:41에 김영희 이(가) 쓴 글:",
    # Chinese
    "gmail-zh": "张三 <zhangsan@example.org> 于2026年11月16日周一 09:41写道：",
    "gmail-zh-wrapped": "张三 <zhangsan.shanghai.office@example.org>\n于2026年11月16日周一 09:41写道：",
    "gmail-zh-tw": "張三 <zhangsan@example.org> 於 2026年11月16日 週一 上午9:41寫道：",
    "apple-zh": "在 2026年11月16日，上午9:41，张三 <zhangsan@example.org> 写道：",
    "thunderbird-zh": "在 2026/11/16 9:41, 张三 写道:",
    "163-zh": '在 2026-11-16 09:41:12，"张三" <zhangsan@163.com> 写道：',
    "163-en": 'At 2026-11-16 09:41:12, "张三" <zhangsan@163.com> wrote:',
    # the North and the East
    "gmail-sv": "Den mån 16 nov. 2026 kl 09:41 skrev Anna Berg <anna@example.org>:",
    "apple-sv": "16 nov. 2026 kl. 09:41 skrev Anna Berg <anna@example.org>:",
    "gmail-da": "Den man. 16. nov. 2026 kl. 09.41 skrev Anna Berg <anna@example.org>:",
    "gmail-no": "man. 16. nov. 2026 kl. 09:41 skrev Anna Berg <anna@example.org>:",
    "gmail-fi": "ma 16. marrask. 2026 klo 9.41 Anna Virtanen (anna@example.org) kirjoitti:",
    "gmail-cs": "po 16. 11. 2026 v 9:41 odesílatel Anna Nová <anna@example.org> napsal:",
    "gmail-sk": "po 16. 11. 2026 o 9:41 Anna Nová <anna@example.org> napísal(a):",
    "gmail-hu": "Kovács Anna <anna@example.org> ezt írta (időpont: 2026. nov. 16., H, 9:41):",
    "gmail-ro": "În lun., 16 nov. 2026 la 09:41, Ana Popescu <ana@example.org> a scris:",
    "gmail-el": "Στις Δευ 16 Νοε 2026 στις 9:41 π.μ., ο χρήστης Άννα <anna@example.org> έγραψε:",
    "gmail-he": "\u202bבתאריך יום ב׳, 16 בנוב׳ 2026 ב-9:41 מאת \u202aחנה\u202c\u200f <\u202ahana@example.org\u202c\u200f>:\u202c",
    "gmail-ar": "في الاثنين، 16 نوفمبر 2026 في 9:41 ص تمت كتابة ما يلي بواسطة \u202aHana\u202c\u200f <\u202ahana@example.org\u202c\u200f>:",
    "gmail-vi": "Vào Th 2, 16 thg 11, 2026 vào lúc 09:41 Anh Nguyen <anh@example.org> đã viết:",
    "gmail-id": "Pada Sen, 16 Nov 2026 pukul 09.41 Ani <ani@example.org> menulis:",
    "gmail-th": "ในวันที่ จ. 16 พ.ย. 2026 เวลา 09:41 Ann <ann@example.org> เขียนว่า:",
    "gmail-bg": "На пн, 16.11.2026 г. в 9:41 Анна <anna@example.org> написа:",
}

NEED_MARKS = frozenset({"thunderbird-ko", "horde", "horde-de", "pine", "orange-fr", "old-gmail", "gnus", "via", "mutt"})
"""Lines that open a quotation only when quote marks follow."""

HEADER_BLOCKS: dict[str, str] = {
    "outlook-en": "From: Ann Smith <ann@example.org>\nSent: Monday, November 16, 2026 9:41 AM\nTo: Support <support@example.com>\nSubject: Your order",
    "outlook-en-names": "From: Smith, Ann\nSent: Monday, November 16, 2026 9:41 AM\nTo: Support\nCc: Bob\nSubject: RE: Your order",
    "outlook-en-rule": "________________________________\nFrom: Ann Smith <ann@example.org>\nSent: Monday, November 16, 2026 9:41 AM\nTo: Support <support@example.com>\nSubject: Your order",
    "outlook-en-bold": "*From:* Ann Smith <ann@example.org>\n*Sent:* Monday, November 16, 2026 9:41 AM\n*To:* Support <support@example.com>\n*Subject:* Your order",
    "outlook-en-old": "-----Original Message-----\nFrom: Ann Smith [mailto:ann@example.org]\nSent: Monday, November 16, 2026 9:41 AM\nTo: Support\nSubject: Your order",
    "outlook-mobile-en": "________________________________\nFrom: Ann Smith <ann@example.org>\nSent: Monday, November 16, 2026 9:41:12 AM\nTo: support@example.com <support@example.com>\nSubject: Your order",
    "outlook-de": "Von: Ann Schmidt <ann@example.org>\nGesendet: Montag, 16. November 2026 09:41\nAn: Support <support@example.com>\nBetreff: Ihre Bestellung",
    "outlook-de-old": "-----Ursprüngliche Nachricht-----\nVon: Ann Schmidt [mailto:ann@example.org]\nGesendet: Montag, 16. November 2026 09:41\nAn: Support\nBetreff: Ihre Bestellung",
    "gmx-de": 'Gesendet: Montag, 16. November 2026 um 09:41 Uhr\nVon: "Ann Schmidt" <ann@example.org>\nAn: support@example.com\nBetreff: Ihre Bestellung',
    "outlook-fr": "De : Anne Petit <anne@example.org>\nEnvoyé : lundi 16 novembre 2026 09:41\nÀ : Support <support@example.com>\nObjet : Votre commande",
    "outlook-fr-old": "-----Message d'origine-----\nDe : Anne Petit [mailto:anne@example.org]\nEnvoyé : lundi 16 novembre 2026 09:41\nÀ : Support\nObjet : Votre commande",
    "outlook-es": "De: Ana García <ana@example.org>\nEnviado el: lunes, 16 de noviembre de 2026 9:41\nPara: Soporte <support@example.com>\nAsunto: Su pedido",
    "outlook-pt": "De: Ana Souza <ana@example.org>\nEnviada em: segunda-feira, 16 de novembro de 2026 09:41\nPara: Suporte <support@example.com>\nAssunto: Seu pedido",
    "outlook-it": "Da: Anna Rossi <anna@example.org>\nInviato: lunedì 16 novembre 2026 09:41\nA: Supporto <support@example.com>\nOggetto: Il suo ordine",
    "outlook-nl": "Van: Anna de Vries <anna@example.org>\nVerzonden: maandag 16 november 2026 09:41\nAan: Support <support@example.com>\nOnderwerp: Uw bestelling",
    "outlook-pl": "Od: Anna Nowak <anna@example.org>\nWysłane: poniedziałek, 16 listopada 2026 09:41\nDo: Pomoc <support@example.com>\nTemat: Zamówienie",
    "outlook-ru": "От: Анна Иванова <anna@example.org>\nОтправлено: 16 ноября 2026 г. 9:41\nКому: Поддержка <support@example.com>\nТема: Ваш заказ",
    "outlook-tr": "Kimden: Ayşe Yılmaz <ayse@example.org>\nGönderildi: 16 Kasım 2026 Pazartesi 09:41\nKime: Destek <support@example.com>\nKonu: Siparişiniz",
    "apple-tr-gonderen": "Gönderen: Ayşe Yılmaz <ayse@example.org>\nTarih: 16 Kasım 2026 09:41\nKonu: Siparişiniz\nAlıcı: support@example.com",
    "outlook-ja": "差出人: 山田花子 <hanako@example.org>\n送信日時: 2026年11月16日 9:41\n宛先: サポート <support@example.com>\n件名: ご注文について",
    "outlook-ko": "보낸 사람: 김영희 <younghee@example.org>\n보낸 날짜: 2026년 11월 16일 월요일 오전 9:41\n받는 사람: 지원 <support@example.com>\n제목: 주문",
    "naver-ko": '-----Original Message-----\nFrom: "김영희"<younghee@naver.com>\nTo: <support@example.com>;\nCc:\nSent: 2026-11-16 (월) 09:41:12 (GMT+09:00)\nSubject: 주문',
    "outlook-zh": "发件人: 张三 <zhangsan@example.org>\n发送时间: 2026年11月16日 9:41\n收件人: 客服 <support@example.com>\n主题: 订单",
    "outlook-zh-wide": "发件人： 张三\n发送时间： 2026-11-16 09:41\n收件人： 客服\n主题： 订单",
    "outlook-zh-tw": "寄件者: 張三 <zhangsan@example.org>\n寄件日期: 2026年11月16日 上午 09:41\n收件者: 客服 <support@example.com>\n主旨: 訂單",
    "qq-zh": '------------------ 原始邮件 ------------------\n发件人: "张三" <zhangsan@qq.com>;\n发送时间: 2026年11月16日(星期一) 上午9:41\n收件人: "客服"<support@example.com>;\n主题: 订单',
    "qq-zh-spaced": '------------------&nbsp;原始邮件&nbsp;------------------\n发件人: "张三" <zhangsan@qq.com>;',
    "qq-en": '------------------ Original ------------------\nFrom: "张三" <zhangsan@qq.com>;\nDate: Mon, Nov 16, 2026 09:41 AM\nTo: "客服"<support@example.com>;\nSubject: 订单',
    "163-master": "---- 回复的原邮件 ----\n| 发件人 | 张三<zhangsan@163.com> |\n| 发送日期 | 2026年11月16日 09:41 |\n| 收件人 | 客服<support@example.com> |\n| 主题 | 订单 |",
    "163-forward": '-------- 转发邮件信息 --------\n发件人："张三" <zhangsan@163.com>\n发送日期：2026-11-16 09:41:12\n收件人：客服 <support@example.com>\n主题：订单',
    "foxmail": "发件人： 张三\n发送时间： 2026-11-16 09:41\n收件人： support\n主题： 订单",
    "aliyun": "------------------------------------------------------------------\n发件人：张三 <zhangsan@example.org>\n发送时间：2026年11月16日(星期一) 09:41\n收件人：客服 <support@example.com>\n主　题：订单",
    "gmail-forward": "---------- Forwarded message ---------\nFrom: Ann Smith <ann@example.org>\nDate: Mon, Nov 16, 2026 at 9:41 AM\nSubject: Your order\nTo: <support@example.com>",
    "gmail-forward-de": "---------- Forwarded message ---------\nVon: Ann Schmidt <ann@example.org>\nDate: Mo., 16. Nov. 2026 um 09:41 Uhr\nSubject: Ihre Bestellung\nTo: <support@example.com>",
    "gmail-forward-fr": "---------- Message transféré ---------\nDe : Anne Petit <anne@example.org>\nDate: lun. 16 nov. 2026 à 09:41\nSubject: Commande\nTo: <support@example.com>",
    "apple-forward": "Begin forwarded message:\n\nFrom: Ann Smith <ann@example.org>\nSubject: Your order\nDate: 16 November 2026 at 09:41:12 CET\nTo: support@example.com",
    "apple-forward-de": "Anfang der weitergeleiteten Nachricht:\n\nVon: Ann Schmidt <ann@example.org>\nBetreff: Ihre Bestellung\nDatum: 16. November 2026 um 09:41:12 MEZ\nAn: support@example.com",
    "apple-forward-fr": "Début du message réexpédié :\n\nDe: Anne Petit <anne@example.org>\nObjet: Commande\nDate: 16 novembre 2026 à 09:41:12 UTC+1\nÀ: support@example.com",
    "thunderbird-forward": "-------- Forwarded Message --------\nSubject: \tYour order\nDate: \tMon, 16 Nov 2026 09:41:12 +0100\nFrom: \tAnn Smith <ann@example.org>\nTo: \tsupport@example.com",
    "thunderbird-forward-de": "-------- Weitergeleitete Nachricht --------\nBetreff: \tIhre Bestellung\nDatum: \tMon, 16 Nov 2026 09:41:12 +0100\nVon: \tAnn Schmidt <ann@example.org>\nAn: \tsupport@example.com",
    "yahoo-forward": "----- Forwarded Message -----\nFrom: Ann Smith <ann@example.org>\nTo: support@example.com\nSent: Monday, November 16, 2026, 09:41:12 AM EST\nSubject: Your order",
    "yandex": '----------------\nКому: Поддержка (support@example.com);\nТема: Ваш заказ;\n16.11.2026, 09:41, "Анна Иванова" <anna@example.org>:',
    "mailru-forward": "-------- Пересылаемое сообщение --------\nОт: Анна Иванова <anna@example.org>\nКому: support@example.com\nДата: Понедельник, 16 ноября 2026\nТема: Ваш заказ",
    "lotus": "-----Ann Smith/Example wrote: -----\nTo: support@example.com\nFrom: Ann Smith/Example\nDate: 11/16/2026 09:41AM\nSubject: Your order",
    "samsung": "-------- Original message --------\nFrom: Ann Smith <ann@example.org>\nDate: 11/16/26 9:41 AM (GMT-05:00)\nTo: support@example.com\nSubject: Your order",
    "samsung-de": "-------- Ursprüngliche Nachricht --------\nVon: Ann Schmidt <ann@example.org>\nDatum: 16.11.26 09:41 (GMT+01:00)\nAn: support@example.com\nBetreff: Ihre Bestellung",
    "outlook-sv": "Från: Anna Berg <anna@example.org>\nSkickat: den 16 november 2026 09:41\nTill: Support <support@example.com>\nÄmne: Din order",
    "outlook-da": "Fra: Anna Berg <anna@example.org>\nSendt: 16. november 2026 09:41\nTil: Support <support@example.com>\nEmne: Din ordre",
    "outlook-fi": "Lähettäjä: Anna Virtanen <anna@example.org>\nLähetetty: maanantai 16. marraskuuta 2026 9.41\nVastaanottaja: Tuki <support@example.com>\nAihe: Tilaus",
    "outlook-cs": "Od: Anna Nová <anna@example.org>\nOdesláno: pondělí 16. listopadu 2026 9:41\nKomu: Podpora <support@example.com>\nPředmět: Objednávka",
    "outlook-hu": "Feladó: Kovács Anna <anna@example.org>\nElküldve: 2026. november 16., hétfő 9:41\nCímzett: Segítség <support@example.com>\nTárgy: Rendelés",
}

MOBILE_MARKS = """Sent from my iPhone
Sent from my Galaxy
Sent from my Samsung Galaxy smartphone.
Sent from Yahoo Mail on Android
Sent from Yahoo Mail for iPhone
Sent from Outlook for iOS<https://aka.ms/o0ukef>
Get Outlook for Android<https://aka.ms/AAb9ysg>
Get Outlook for iOS
Sent from Mail for Windows 10
Sent with Proton Mail secure email.
Sent from Proton Mail for iOS
Sent from Gmail Mobile
Sent via BlackBerry by AT&T
Von meinem iPhone gesendet
Von meinem Samsung Galaxy Smartphone gesendet.
Gesendet von Mail für Windows 10
Gesendet mit der mobilen Mail App
Diese Nachricht wurde von meinem Android-Mobiltelefon mit K-9 Mail gesendet.
Holen Sie sich Outlook für iOS
Envoyé de mon iPhone
Envoyé depuis mon mobile Orange
Envoyé à partir de Outlook pour Android
Télécharger Outlook pour iOS
Enviado desde mi iPhone
Enviado desde Correo para Windows 10, mail
Enviado do meu iPhone
Enviado do Yahoo Mail no Android
Obter o Outlook para iOS
Inviato da iPhone
Inviato dal mio telefono
Verzonden vanaf mijn iPhone
Verstuurd vanaf mijn iPad
Outlook voor iOS downloaden
Wysłane z iPhone'a
Wysłano z aplikacji mail na Windows 10
Отправлено с iPhone
Отправлено из мобильной Почты Mail.ru
iPhone'umdan gönderildi
Android için Outlook'u edinin
iPhoneから送信
Outlook for iOS を入手
나의 iPhone에서 보냄
내 iPhone에서 보냄
发自我的iPhone
发自我的华为手机
从我的 iPhone 发送
來自我的 iPhone
從我的 iPhone 傳送
获取 Outlook for iOS
发自网易邮箱手机智能版
Skickat från min iPhone
Sendt fra min iPhone
Lähetetty iPhonesta
Odesláno z iPhonu
Надіслано з iPhone
Gửi từ iPhone của tôi""".split("\n")

SIGN_OFFS = (
    "Best regards,\nAnn Smith",
    "Kind regards\n\nAnn Smith\nHead of Procurement\nExample Ltd\nTel: +44 20 7946 0000\nwww.example.org",
    "Cheers,\nAnn",
    "Yours sincerely,\n\nMrs A. Smith",
    "-- \nAnn Smith\nExample Ltd",
    "--\nAnn Smith | Example Ltd | +44 20 7946 0000",
    "Mit freundlichen Grüßen\n\nAnn Schmidt\nBeispiel GmbH\nTel. +49 30 123456",
    "Viele Grüße\nAnn",
    "MfG\nA. Schmidt",
    "Cordialement,\nAnne Petit\n01 23 45 67 89",
    "Bien à vous,\nAnne",
    "Un saludo,\nAna García",
    "Saludos cordiales\nAna",
    "Atenciosamente,\nAna Souza\n(11) 91234-5678",
    "Abraços,\nAna",
    "Cordiali saluti\nAnna Rossi",
    "Met vriendelijke groet,\n\nAnna de Vries",
    "Z poważaniem\nAnna Nowak\ntel. 601 234 567",
    "Pozdrawiam,\nAnna",
    "С уважением,\nАнна Иванова\nтел. +7 495 123-45-67",
    "Saygılarımla,\nAyşe Yılmaz",
    "İyi çalışmalar,\nAyşe",
    "此致\n敬礼\n张三",
    "祝好\n张三\n电话: 010-12345678",
    "敬具\n山田花子",
    "----------------------------\n株式会社サンプル 営業部\n山田花子\nTEL: 03-1234-5678\nhttps://example.jp\n----------------------------",
    "김영희 드림\n010-1234-5678",
    "Med vänliga hälsningar\nAnna Berg",
    "Venlig hilsen\nAnna",
    "Ystävällisin terveisin\nAnna",
    "S pozdravem\nAnna Nová",
    "Üdvözlettel,\nKovács Anna",
    "Ann Smith\nProcurement Manager\nT: +44 20 7946 0000\nM: +44 7700 900000\nE: ann@example.org",
)

DISCLAIMERS = (
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you are not the\nintended recipient, please delete it.",
    "CONFIDENTIALITY NOTICE: This message may contain privileged information.",
    "Please consider the environment before printing this email.",
    "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige\nAdressat sind, informieren Sie bitte sofort den Absender.",
    "Ce message et toutes les pièces jointes sont confidentiels et établis à l'intention exclusive de ses destinataires.",
    "Este mensaje y sus adjuntos se dirigen exclusivamente a su destinatario y pueden contener información confidencial.",
    "Esta mensagem, incluindo seus anexos, contém informações confidenciais destinadas a indivíduo específico.",
    "Questo messaggio e i suoi allegati sono indirizzati esclusivamente alle persone indicate e contengono informazioni riservate.",
    "Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde.",
    "Niniejsza wiadomość oraz załączniki są poufne i przeznaczone wyłącznie dla adresata.",
    "Это сообщение и любые приложения к нему являются конфиденциальными и предназначены только для адресата.",
    "Bu e-posta mesajı ve ekleri gizlidir ve yalnızca alıcısına özeldir.",
    "このメールには機密情報が含まれている場合があります。誤って受信された場合は削除してください。",
    "이 메일은 지정된 수신인만을 위한 것이며 기밀 정보를 포함할 수 있습니다.",
    "本邮件及其附件含有保密信息，仅限于发送给上面地址中列出的个人或群组。",
)
