"""The words that mail clients of the world put around quotations, headers and signatures: tables, no logic.

Facts read off the clients and their localisations; a new client or language is a line here and a
case in tests/payloads/mail.
"""

# ruff: noqa: E501, RUF001

WROTE = r"""
wrote|writes|has\ written|写道|寫道|写到|写了|說道|schrieb(?:en)?|geschrieben|a\ [ée]crit|nous\ a\ dit|escribi[óo]|ha\ escrito
|escreveu|ha\ scritto|scrive|schreef|geschreven|napisał(?:\(a\)|a|\(-a\))?|pisze|nadesłał(?:\(a\)|a)?
|написал(?:\(а\)|а)?|писал(?:\(а\)|а)?|вы\ писали|пишет|пише|написав(?:\(ла\))?|писав(?:\(ла\))?|yazd[ıi]|yazm[ıi]ş|書きました|書いた
|のメール|のメッセージ|からのメール|작성(?:하였습니다|했습니다)?|썼습니다|쓴\ 글|쓰셨습니다|보낸\ 메시지|보낸\ 메일|skrev|skreiv|kirjoitti
|napsala?(?:\(a\))?|napísala?(?:\(a\))?|píše|írta|a\ scris|έγραψε|כתב(?:/ה|ה)?|כתב|كتبت?|đã\ viết|viết|เขียนว่า|เขียน
|menulis|написа|je\ napisao(?:/la)?|napisao(?:\ je)?|је\ написао(?:/ла)?|va\ escriure|kirjutas|rašė|rakstīja
|je\ napisala?(?:/a)?|نوشت
"""
"""Verbs of "On <date> <name> wrote:", any place in the line; lower case, verbose syntax."""
OPENS = r"""
On|At|In\ message|Le|El|Am|Il|In\ data|Em|Op|Den|Dne|Dňa|W\ dniu|Dnia|Pe|På|Στις|Την|בתאריך|בתאריך|في|بتاريخ|Vào|Vào\ lúc
|เมื่อ|เมื่อวันที่|Pada|На|Dana|Kl|Ngày|Ons|În|In\ ziua|Dana|Dne|V|A|El\ dia|Kuupäeval|在|於|于|Quoting|Zitat\ von|Citando
|Citát|Цитирую|Citat|---+\ ?(?:On|Le|Am|El|Il|在)
|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}|(?:mo|di|mi|do|fr|sa|so)\.?|(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag
|sonntag)|(?:lun|mar|mer|jeu|ven|sam|dim)[a-zé]{0,5}|(?:lunes|martes|mié(?:rcoles)?|jue(?:ves)?|vie(?:rnes)?|sáb(?:ado)?
|dom(?:ingo)?)|(?:seg|ter|qua|qui|sex|sáb|dom)(?:unda|ça|rta|nta|ta|ado|ingo)?(?:-feira)?|(?:gio|sab|dom)[a-zì]{0,6}
|(?:ma|wo|do|vr|za|zo)[a-z]{0,8}|(?:pon|wt|śr|czw|pt|sob|niedz?)[a-ząęłóśź]{0,10}|(?:пн|вт|ср|чт|пт|сб|вс|нд)
|(?:понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|понеділок|вівторок|середа|п.ятниця|субота|неділя)
|(?:pzt|sal|çar|per|cum|cmt|paz)[a-zşı]{0,7}|(?:må|ti|on|to|fr|lö|sö|man|tir|ons|tor|fre|lør|søn)[a-zåäö]{0,5}
|(?:ma|ti|ke|to|pe|la|su)|(?:po|út|st|čt|pá|so|ne)
"""
"""What such a line starts with, besides a date, a name or an address."""

HEADER_LABELS: dict[str, tuple[str, ...]] = {
    "from": tuple(
        """from|von|de|da|van|od|от|от кого|kimden|gönderen|kimden/from|差出人|送信者|送信元|보낸 사람|보낸사람|보낸이|발신|발신자|发件人|寄件者
        |寄件人|發件人|发信人|发送人|寄信人|från|fra|lähettäjä|feladó|de la|expéditeur|remitente|mittente|afzender|absender|від|від кого|από
        |מאת|من|từ|จาก|dari|отправитель|nadawca|pošiljatelj|šalje|frá|saatja|nuo|no|pengirim|người gửi|ผู้ส่ง|המען|المرسل
        |odosielateľ|odesílatel|remetente|expeditor""".replace("\n", "").split("|")
    ),
    "date": tuple(
        """sent|date|gesendet|datum|gesendet am|envoyé|envoyé le|enviado|enviado el|fecha|data|enviado em|enviada em|enviada|enviados
        |inviato|inviato il|data invio|verzonden|verzonden op|wysłano|wysłane|data wysłania|отправлено|дата|отправлен|дата отправки
        |gönderildi|gönderilme tarihi|gönderme tarihi|gönderim tarihi|tarih|送信日時|日時|送信日|日付|送信時刻|보낸 날짜|보낸날짜|날짜|보낸 시간
        |보낸시간|발송일|发送时间|发送日期|日期|傳送時間|寄件日期|時間|时间|傳送日期|发件时间|寄件時間|發送時間|發送日期|skickat|sendt|dato|lähetetty
        |päivämäärä|päiväys|odesláno|odoslané|dátum|küldve|elküldve|trimis|надіслано|στάλθηκε|ημερομηνία|נשלח|תאריך|تاريخ الإرسال
        |التاريخ|تم الإرسال|đã gửi|ngày|ngày gửi|ส่ง|วันที่|dikirim|tanggal|received|empfangen|saadetud|poslano|date d'envoi|date/time
        |sent at|sent on|tarih/date|wysłany|дата и время|data i godzina""".replace("\n", "").split("|")
    ),
    "to": tuple(
        """to|an|à|a|para|aan|do|кому|kime|alıcı|宛先|宛て先|受信者|받는 사람|받는사람|받는이|수신|수신자|收件人|收件者|收信人|till|til|vastaanottaja
        |komu|címzett|către|catre|προς|אל|إلى|đến|tới|ถึง|kepada|destinataire|destinatario|destinatário|pour|empfänger|ontvanger|za|кому
        |adresat|odbiorca|mottagare|modtager|mottaker|címzettek""".replace("\n", "").split("|")
    ),
    "cc": tuple(
        """cc|kopie|copie à|copie|copia|dw|do wiadomości|копия|копія|bilgi|抄送|副本|抄送人|참조|kopia|kopi|másolatot kap|másolat|bcc|cci|cco|ccn
        |blindkopie|密送|숨은 참조|kopio|κοιν|κοινοποίηση|עותק|نسخة|skrytá kopie|udw|ct|スキャン|kópia|gizli""".replace(
            "\n", ""
        ).split("|")
    ),
    "subject": tuple(
        """subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|temat|тема|konu|件名|題名|標題|제목|主题|主題|主旨|标题|邮件主题|ämne|emne
        |aihe|předmět|predmet|tárgy|subiect|θέμα|נושא|الموضوع|chủ đề|เรื่อง|หัวเรื่อง|subjek|perihal|teema|zadeva|naslov|тема письма
        |konu/subject|assumpte|efni""".replace("\n", "").split("|")
    ),
    "other": tuple(
        """reply-to|antwort an|répondre à|responder a|antwoord aan|importance|priority|priorité|wichtigkeit|priorität|attachments|anlagen
        |attach|anhänge|pièces jointes|附件|添付ファイル|첨부|첨부파일|organization|organisation|organización|sensitivity|mailed-by|signed-by
        |вложения|ekler|załączniki|allegati|adjuntos|anexos|bijlagen|importancia|重要性|优先级|返信先|reply to|message-id|x-mailer|security
        |resent-from|resent-date""".replace("\n", "").split("|")
    ),
}
"""Labels of the header block that Outlook and forwards put over the original; lower case."""

ORIGINAL = """original message|replied message|original appointment|original e-?mail|forwarded message|forwarded by .{1,80}|reply message|forwarded mail
    |begin forwarded message|start of forwarded message|forwarded e-?mail|weitergeleitete (?:nachricht|e-?mail|mail)
    |ursprüngliche (?:nachricht|e-?mail|mail)|urspruengliche nachricht|original-?nachricht|antwort nachricht|originalmail
    |(?:anfang|beginn) der weitergeleiteten (?:nachricht|e-?mail|mail)|message d.origine|message original|message initial
    |message transf[ée]r[ée]|mail original|courriel original|message de départ|message d.origine
    |d[ée]but du message (?:r[ée]exp[ée]di[ée]|transf[ée]r[ée])|mensaje original|mensaje reenviado|correo original
    |(?:inicio|comienzo) del mensaje reenviado|mensagem original|mensagem encaminhada|mensagem reencaminhada
    |in[íi]cio da mensagem (?:re)?encaminhada|messaggio originale|messaggio inoltrato|messaggio originario
    |inizio(?: del)? messaggio inoltrato|oorspronkelijk bericht|origineel bericht|doorgestuurd bericht
    |begin doorgestuurd bericht|oorspronkelijke e-?mail|wiadomo[śs][ćc] oryginalna|oryginalna wiadomo[śs][ćc]
    |pierwotna wiadomość|wiadomość przekazana|przekazana wiadomość|tre[śs][ćc] przekazanej wiadomo[śs]ci
    |początek (?:przekazywanej|przekazanej) wiadomości|(?:исходное|оригинальное|пересылаемое|пересланное
    |переадресованное|первоначальное|перенаправленное) (?:сообщение|письмо)
    |начало (?:переадресованного|пересылаемого|пересланного) (?:сообщения|письма)|orijinal (?:mesaj|ileti|e-?posta)
    |özgün (?:ileti|mesaj)|[iİ]letilmiş (?:mesaj|ileti|e-?posta)|yönlendirilen (?:ileti|mesaj)|yönlendirilmiş (?:ileti|mesaj)
    |[iİ]letilen (?:mesaj|ileti)(?:nin)?(?: başlangıcı)?|yönlendirilen iletinin başlangıcı|元のメッセージ|元のメール|オリジナルメッセージ|転送メッセージ|転送されたメッセージ|転送元メッセージ|원본 ?메시지
    |원본 ?메일|원본 ?이메일|원본 내용|전달된 메시지 시작|전달된 ?메시지|전달된 ?메일|받은 메일|원문 ?메시지|原始邮件|原始郵件|原始信件|原始訊息|原郵件|原邮件|原信|原信件
    |转发邮件信息|转发的邮件|转发邮件|转发的消息|轉寄郵件|轉寄的郵件|轉寄訊息|轉發郵件|回复的原邮件|回复的原信|回覆的原郵件|邮件原件|邮件原文
    |已转发邮件|已轉寄郵件|以下是转发的邮件|下面是被转发的邮件|以下是轉寄的郵件|以下为转发|始发邮件|被转发邮件|ursprungligt meddelande|vidarebefordrat meddelande
    |originalmeddelande|oprindelig (?:meddelelse|besked|mail)|videresendt (?:meddelelse|besked|melding)
    |opprinnelig melding|start på videresendt melding|alkuperäinen viesti|välitetty viesti|välitetty viesti alkaa
    |původní zpráva|původní e-?mail|přeposlaná zpráva|pôvodná správa|preposlaná správa|eredeti üzenet|továbbított üzenet
    |mesaj original|mesajul original|mesaj redirec[țţt]ionat|mesaj transmis|(?:вихідне|початкове|оригінальне|переслане)
    (?:повідомлення|лист)|αρχικό μήνυμα|προωθημένο μήνυμα|הודעה מקורית|הודעה שהועברה|הודעה מועברת|الرسالة الأصلية
    |رسالة معاد توجيهها|tin nhắn gốc|thư gốc|(?:tin nhắn|thư) đã chuyển tiếp|ข้อความต้นฉบับ|ข้อความที่ส่งต่อ|pesan asli
    |pesan terusan|original meddelelse|edastatud kiri|izvorna poruka|proslijeđena poruka|originalna poruka|missatge original"""
"""What stands between the dashes over an original or a forwarded mail."""

REPLY_ABOVE = r"""
reply\ above\ this\ line|type\ your\ reply\ above|write\ above\ this\ line|please\ reply\ above|oberhalb\ dieser\ zeile
|au-dessus\ de\ cette\ ligne|por\ encima\ de\ esta\ l[íi]nea|acima\ desta\ linha|sopra\ questa\ (?:linea|riga)
|boven\ deze\ (?:regel|lijn)|powyżej\ tej\ linii|выше\ этой\ (?:строки|линии)|bu\ satırın\ üst|请在此行(?:以上|上方)|この行より上|이\ 줄\ 위에
"""
"""Help desks ask for answers above a line; the line and what follows is theirs."""

DEVICES = r"""
ipho|ipad|ipod|android|samsung|galaxy|blackberry|huawei|honor|xiaomi|redmi|小米|华为|荣耀|oppo|vivo|oneplus|pixel|nokia|lumia|htc|lg
|motorola|sony|xperia|windows|phone|handset|handy|smartphone|smart\ phone|mobile?|mobilgerät|mobiltelefon|mobil|mobiel|outlook
|\bmail\b|e-?mail\ app|gmail|yahoo|aol|thunderbird|spark|airmail|mailbox|\bnine\b|k-9|fairemail|bluemail|proton|tuta|surface|\bmac\b|macbook
|apple|web\.de|gmx|qq邮箱|qq|网易|163|手机|手機|typeapp|mymail|mail\.ru|яндекс|yandex|superhuman|\bhey\b|zoho|newton|edison|tablet|tablette
|device|\bcell\b|téléphone|teléfono|telefon|telefone|cellulare|dispositivo|appareil|телефон|смартфон|устройств|почт|スマートフォン
|携帯|휴대|스마트폰|갤럭시|아이폰|네이버|다음|naver|daum|laptop|computer|ti-\d+|alcatel|pc\b|hotmail|移动|行動|旺信|钉钉|飞书|企业微信
"""
"""Machines and programs that sign mail for their owners."""

SENT_FROM = r"""
(?:sent|posted|written|typed|composed)\ (?:from|via|with|using|on|by|through)\ |yahoo\ mail\s?[:–-]|get\ (?:outlook|bluemail|my\ mail)|from\ my\ i?\w+
|download\ (?:outlook|yahoo)|von\ meinem\ .{1,60}\ (?:gesendet|geschickt)|von\ .{1,40}\ gesendet|gesendet\ (?:von|mit|über|via|aus)\b
|(?:diese|die)\ (?:nachricht|e-?mail)\ wurde\ (?:von|mit)\ |holen\ sie\ sich\ outlook|outlook\ für\ .{1,20}\ (?:beziehen|herunterladen|laden)
|envoy[ée]\ (?:de|depuis|[àa]\ partir|avec|par|via|du)\ |t[ée]l[ée]charge[rz]\ outlook|obtene[zr]\ outlook|obtenir\ outlook
|provenance\ :?\ *courrier|envoyé\ de|enviado\ (?:desde|do|de|da|a\ partir|via|con|com|pelo|por)\ |obt[eé]n(?:er|ga)?\ outlook
|obter\ o?\ ?outlook|baixe\ o\ outlook|inviato\ (?:da|con|dal|tramite)\ |ottieni\ outlook|scarica\ outlook
|verzonden\ (?:vanaf|met|vanuit|via|van)\ |verstuurd\ (?:vanaf|met|vanuit|via)\ |outlook\ voor\ |download\ outlook
|wysłan[eoya]\ (?:z|ze|przy|za|przez|w)\ |wysłano\ (?:z|ze)\ |pobierz\ .{0,20}outlook|отправлено\ (?:с|из|через)\ |отправлен[оа]\ из
|(?:получить|скачать)\ outlook|с\ уважением.{0,20}отправлено|.{1,40}(?:den|dan|ten|tan|umdan|imden|ımdan)\ gönderildi|(?:windows|mac|ios|android)\ .{1,30}\ ile\ gönderildi
|(?:\w+\ için\ )?outlook.{0,20}(?:edinin|indirin)|gönderen:\ .{0,20}mail|.{1,40}から(?:の)?(?:送信|投稿)|.{1,30}で送信|outlook\ for\ .{1,12}を(?:入手|ダウンロード)|(?:ios|android|mac|windows)\ ?(?:版|用)(?:の)?\ ?outlook\ ?を(?:入手|ダウンロード)
|(?:나의|내)\ .{1,30}에서\ (?:보냄|전송)|.{1,30}에서\ (?:보냄|보냈습니다|전송됨|작성)|(?:\w{1,10}용\ )?outlook\ (?:.{1,12}\ ?)?(?:다운로드|받기)|发自(?:我的)?|发送自|發自|發送自
|[从從]\ ?(?:我的)?.{1,30}(?:发送|傳送|发出|發出|寄出)|来自(?:我的)?.{1,20}|來自我的|[获獲取]取?得?\ ?outlook|下[载載]\ ?outlook|通过.{1,20}发送|使用.{1,20}发送
|由.{1,20}发送|用.{1,12}发送|skickat\ från|hämta\ outlook|sendt\ (?:fra|via|med)|hent\ outlook|få\ outlook|lähetetty\ |hanki\ outlook|odesláno\ (?:z|pomocí)
|odoslané\ z|získa[jťt]+e?\ outlook|küldve|elküldve|.{1,20}(?:ról|ről|mről)\ küldve|trimis\ (?:de\ pe|din|cu)|obțineți\ outlook
|надіслано\ (?:з|із)|στάλθηκε\ από|נשלח\ מ|مرسل[ةه]?\ من|أُ?رسل(?:ت)?\ من|تم\ الإرسال\ من|gửi\ từ|được\ gửi\ từ|ส่งจาก|dikirim\ (?:dari|dengan)
|poslano\ (?:s|z|iz)|saadetud\ minu
"""
"""How those signatures say it; lower case, verbose syntax, at the start of a line."""

CLOSINGS = r"""
(?:with\ )?(?:my\ )?(?:kind|best|warm|warmest|kindest|many|friendly|personal|cordial)?\ ?regards|best\ wishes|(?:with\ )?all\ good\ wishes
|(?:yours\ )?(?:very\ )?(?:sincerely|faithfully|truly)(?:\ yours)?|cheers|cordially|respectfully(?:\ yours)?|all\ the\ best|best|warmly
|(?:many\ |best\ )?thanks\ (?:and|&)\ (?:kind\ |best\ |warm\ )?regards|thanks\ (?:and|&)\ cheers|take\ care|rgds|br|kr|kind\ wishes
|mit\ (?:\w+\ )?(?:freundlichen?|besten?|herzlichen?|vielen|lieben|sonnigen|kollegialen?)\ gr(?:ü|ue)(?:ß|ss)(?:en|e)?
|(?:freundliche|beste|viele|liebe|herzliche|schöne|sonnige)n?\ gr(?:ü|ue)(?:ß|ss)e|(?:schönen|lieben|besten|freundlichen|vielen)\ gru(?:ß|ss)|(?:sehr\ )?(?:freundliche|beste|viele|liebe|herzliche|schöne|sonnige|kollegiale)?n?\ ?gr(?:ü|ue)(?:ß|ss)e\ (?:aus|vom|von|nach|an)\ .{2,40}
|gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|hochachtungsvoll|mfg|lg|vg|bg|mit\ freundlichem\ gru(?:ß|ss)|herzlichst
|(?:tr[èe]s\ |bien\ )?cordialement|(?:bien\ )?[àa]\ (?:vous|toi)|(?:sinc[èe]res|meilleures|cordiales)?\ ?salutations(?:\ distingu[ée]es|\ cordiales)?
|bonne\ (?:journ[ée]e|soir[ée]e|r[ée]ception|fin\ de\ journ[ée]e)|(?:bien\ )?amicalement|respectueusement|sinc[èe]rement|cdlt|cdt|bien\ à\ vous
|(?:veuillez|(?:je\ vous|nous\ vous)\ pri(?:e|ons)|recevez|dans\ l.attente).{0,90}(?:agr[ée]er|salutations|cordialement|sentiments|consid[ée]ration).{0,140}|(?:sin\ (?:otro\ particular|más),?\ )?(?:un\ |muchos\ |mis\ |(?:le\ env[íi]o|reciban?|les\ saluda)\ (?:un\ )?)?(?:cordial(?:es|mente)?\ |afectuoso\ )?saludos?(?:\ (?:cordial(?:es)?|y\ gracias|desde\ .{2,30}))?
|(?:muy\ )?atentamente|atte|un\ (?:fuerte\ )?abrazo|atenciosamente|att|cordialmente|(?:com\ os\ )?(?:melhores\ |meus\ )?cumprimentos
|(?:um\ )?(?:grande\ )?abraços?|saudações(?:\ cordiais)?|grat[oa]|com\ os\ melhores\ cumprimentos
|(?:in\ attesa\ .{4,60}\ )?(?:porgo\ |porgiamo\ |le\ porgo\ )?(?:cordiali|distinti|cari|tanti|cordialissimi|i\ migliori|migliori|i\ miei)?\ ?(?:migliori\ )?saluti|un\ (?:cordiale\ )?saluto|buona\ (?:giornata|serata)|buon\ lavoro|in\ fede
|(?:met\ )?(?:vriendelijke|hartelijke|beste|warme)\ groet(?:en)?|groet(?:en|jes)?|hoogachtend|mvg
|z\ (?:wyrazami\ szacunku|poważaniem|powazaniem)|(?:serdecznie\ )?pozdrawiam(?:y)?(?:\ serdecznie)?|(?:serdeczne\ )?pozdrowienia
|łączę\ pozdrowienia|с\ уважением|с\ наилучшими\ пожеланиями|всего\ (?:доброго|хорошего|наилучшего)|с\ почтением|з\ повагою|з\ найкращими\ побажаннями
|(?:en\ iyi\ dileklerimle\ )?(?:saygılarımla|saygılarımızla|saygılar)|iyi\ çalışmalar(?:\ dilerim|\ dileriz)?|iyi\ günler(?:\ dilerim|\ dileriz)?|sevgiler(?:imle)?|selamlar
|敬具|草々|(?:以上[、，]?\ ?)?(?:どうぞ|何卒|引き続き|今後とも)?[、]?(?:よろしく|宜しく)(?:ご(?:確認|対応|検討)の?(?:ほど|程))?(?:お願い|御願い|おねがい)(?:いた|致)?し(?:ます|申し上げます)|以上|(?:よろしく|宜しく)どうぞ|では[、]?(?:よろしく|宜しく).{0,16}|.{1,12}\ (?:드림|올림|배상)|此致|敬礼|敬禮|此致\ ?敬礼|祝您?(?:好|商祺|愉快|工作(?:顺利|愉快)|生活愉快|一切顺利|身体健康|万事如意|順心|順利)|(?:顺|順)?祝.{1,6}(?:安|祺|好|利)|敬祝|谨启|謹啟|敬启|[顺順](?:颂|祝|頌)(?:商祺|商安|时祺|時祺|近安)|即[颂頌]近安|敬上
|(?:med\ )?(?:vänlig|vänliga|bästa|venlig|vennlig|beste|varma|bedste|de\ bedste|kær|mange)\ (?:hälsning(?:ar)?|hilsen|hilsner)|mvh|dbh|hälsningar|hilsen
|(?:ystävällisin|parhain)\ terveisin|terveisin|s\ pozdravem|s\ úctou|s\ pozdravom|s\ úctou|(?:szívélyes\ )?üdvözlettel|tisztelettel|üdv
|cu\ (?:stimă|stima|respect|drag)|με\ εκτίμηση|φιλικά|με\ φιλικούς\ χαιρετισμούς|בברכה|بكل\ احترام|مع\ (?:أطيب\ )?(?:خالص\ )?(?:ال)?تحيات(?:ي)?|تحياتي
|(?:xin\ )?trân\ trọng(?:\ kính\ chào)?|ขอแสดงความนับถือ|hormat\ (?:saya|kami)|salam(?:\ hangat)?|lijep\ pozdrav|srdačan\ pozdrav|s\ poštovanjem
"""
"""Valedictions that stand alone on their line (a name may follow); lower case, verbose syntax."""

AND = r"""
and|&|\+|und|u\.|et|y|e|en|i|oraz|и|ve|och|og|ja|a|és|și|och|以及|和|並|并
"""
"""What joins thanks and a valediction on one line."""

PLAIN_CLOSINGS = r"""
(?:kind\ |best\ |warm\ )?regards|cheers|best\ wishes|(?:viele|liebe|beste|schöne|herzliche)\ gr(?:ü|ue)(?:ß|ss)e|gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|lg|vg|mfg|glg|(?:bien\ )?cordialement
|(?:un\ )?saludos?|saludos\ cordiales|abraços?|um\ abraço|atenciosamente|att|cumprimentos|(?:cordiali\ )?saluti|groet(?:en|jes)?|gr|mvg|pozdrawiam|pozdrowienia
|с\ уважением|saygılarımla|sevgiler(?:imle)?|selamlar|iyi\ çalışmalar|mvh|vh|hälsningar|hilsen|(?:venlig|vennlig|med\ venlig|med\ vennlig)\ hilsen|terv(?:eisin)?|üdv(?:özlettel)?
"""
"""Valedictions that people follow up with their name on the same line, without a comma."""

THANKS = r"""
(?:many\ |kind\ )?thanks(?:\ a\ lot|\ so\ much|\ again|\ in\ advance)?|thank\ you(?:\ so\ much|\ very\ much|\ in\ advance)?|thx|danke(?:\ schön|\ im\ voraus)?|vielen\ dank(?:\ im\ voraus)?
|merci(?:\ beaucoup|\ d.avance)?|(?:muchas\ )?gracias|(?:muito\ )?obrigad[oa]|grazie(?:\ mille|\ ancora)?|bedankt|dank\ u(?:\ wel)?|alvast\ bedankt
|dziękuję|(?:заранее\ |большое\ )?(?:спасибо|благодарю|благодарен|признателен)(?:\ заранее|\ большое)?|teşekkürler|teşekkür\ ederim|谢谢(?:您|你|大家|啦|了)?|謝謝(?:您|你)?|多谢|感谢|感謝|ありがとうございます|ありがとうございました|감사합니다|고맙습니다|감사드립니다|tack|takk|tak|kiitos|děkuji
"""
"""Thanks that close a letter when a comma and a name follow, and are content when not."""

DISCLAIMERS = r"""
(?:this|the)\ (?:e-?mail|message|communication|transmission|information|content)s?\b.{0,200}?(?:confidential|privileged|intended\ (?:solely|only|for)|addressee|proprietary)
|confidentiality\ (?:notice|note|statement|warning)|(?:e-?mail\ )?disclaimer\ ?[:\n]|privileged\ (?:and|/|&)\ confidential|if\ you\ (?:are\ not\ the\ intended|have\ received\ this\ (?:e-?mail|message)\ in\ error)
|(?:please\ )?(?:consider|think\ (?:of|about)|save)\ (?:the\ environment|paper)|think\ before\ you\ print|this\ e-?mail\ (?:has\ been|was)\ (?:scanned|checked)|virus-?free|virenfrei|scanned\ by\ |any\ views\ or\ opinions
|d(?:iese|er\ inhalt\ dieser)\ (?:e-?mail|mail|nachricht)\b.{0,160}?(?:vertraulich|ausschließlich|bestimmt|geschützt)|bitte\ (?:denken\ sie|prüfen\ sie).{0,60}(?:umwelt|ausdruck)|vertraulichkeitshinweis|haftungsausschluss
|(?:ce|le\ présent|cet)\ (?:message|courriel|courrier|mail|e-?mail)\b.{0,160}?(?:confidentiel|destinataire|exclusif)|avis\ de\ confidentialit|pensez\ à\ l.environnement
|(?:este|el\ presente|la\ información\ contenida\ en\ este)\ (?:mensaje|correo|e-?mail)\b.{0,200}?(?:confidencial|destinatario|privilegiad)|aviso\ (?:legal|de\ confidencialidad)|antes\ de\ imprimir
|(?:esta|a\ presente|as\ informações\ contidas\ nesta)\ (?:mensagem|e-?mail)\b.{0,200}?(?:confidencia|destinat|sigilo)|este\ e-?mail.{0,160}?(?:confidencia|destinat)
|(?:questo|il\ presente|le\ informazioni\ contenute\ in\ questo)\ (?:messaggio|e-?mail)\b.{0,200}?(?:riservat|confidenzial|destinatari)|le\ informazioni\ contenute.{0,160}?riservat|ai\ sensi\ del.{0,80}(?:privacy|196/2003|gdpr)
|(?:dit|de\ informatie\ in\ dit|de\ inhoud\ van\ dit)\ (?:bericht|e-?mail(?:bericht)?)\b.{0,200}?(?:vertrouwelijk|bestemd|geadresseerde)
|(?:niniejsza|ta|informacje\ zawarte\ w\ tej)\ (?:wiadomość|wiadomości|korespondencja)\b.{0,200}?(?:poufn|przeznaczon|adresat)|(?:это|данное|настоящее)\ (?:электронное\ )?(?:сообщение|письмо)\b.{0,200}?(?:конфиденциальн|предназначен)|уведомление\ о\ конфиденциальности
|bu\ (?:e-?posta|mesaj|ileti|elektronik\ posta)\b.{0,200}?(?:gizli|kişiye\ özel|yasal)|この(?:電子)?(?:メール|メッセージ).{0,120}?(?:機密|誤って|秘密)|本メール.{0,80}?(?:機密|誤送信|宛先|秘密)
|(?:이|본)\ ?(?:메일|이메일|전자우편|메시지)[은는이에]?.{0,120}?(?:기밀|비밀|수신인|보안)|(?:本|此|该|這|这)封?(?:电子)?(?:電子)?(?:邮件|郵件|信件).{0,160}?(?:保密|机密|機密|仅供|僅供|误收|誤收|指定的?收件人|有意之收件者)
|免责声明|免責聲明|保密(?:提示|声明|聲明)|(?:detta|denna|dette|denne)\ (?:meddelande|e-?post|e-?mail|mail|meddelelse)\b.{0,160}?(?:konfidentiel|förtrolig|fortrolig|sekretess)
"""
"""How the paragraphs of lawyers and scanners begin; searched in the first words of a paragraph."""

BANNERS = r"""
\[?(?:external|extern|externe?r?|externo|esterno|extern\ email)\]?(?:\ (?:e-?mail|sender|mail|message))?(?:\ -)?\b.{0,200}(?:originated|outside|caution|links?|attachments?|außerhalb|vorsicht|extérieur|fuera)
|(?:caution|warning|attention|achtung|vorsicht|attenzione|atención|attention)\ ?[:!\-].{0,80}(?:external|outside|extern|außerhalb|extérieur|fuera\ de|esterno|originated)
|(?:this|the)\ (?:e-?mail|message)\ (?:originated|was\ sent|came|is)\ from\ (?:outside|an\ external)|you\ don.t\ often\ get\ e-?mail\ from|sie\ erhalten\ nicht\ (?:oft|häufig)|vous\ n.obtenez\ pas\ souvent
|no\ suele\ recibir\ correo|diese\ (?:e-?mail|nachricht)\ (?:kommt|stammt|wurde)\ von\ (?:außerhalb|extern)|本邮件来自(?:外部|组织外部|企业外)|此邮件来自外部|外部邮件|\[外部\]|【外部】|some\ people\ who\ received\ this\ message
"""
"""Warnings that gateways put over a mail's first line."""

FOOTERS = r"""
_{40,60}\s*\n[^\n]{0,100}(?:mailing\ list|@|https?:)|you\ received\ this\ (?:message|e-?mail)\ because\ you|to\ unsubscribe\ from\ this|unsubscribe:?\ |to\ post\ to\ this\ group
|reply\ to\ this\ email\ directly|view\ it\ on\ git(?:hub|lab)|visit\ topic|to\ stop\ receiving\ (?:these\ )?(?:e-?mails|emails)|mailing\ list$|you\ are\ receiving\ this\ because
|do\ you\ yahoo!\?|get\ your\ free\ e-?mail|--\ you\ received
"""
"""Lines that lists and services add below a mail."""
