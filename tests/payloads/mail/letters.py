"""Letters of customers in the languages the hub must read, with what their clients put around them (western half)."""

# ruff: noqa: E501

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tongue:
    """One language: words of customers, and the marks that clients set to it leave around them."""

    news: tuple[str, ...]
    """What customers write, traps included."""
    old: str
    """What we had written to them."""
    sign_offs: tuple[str, ...]
    mobile: tuple[str, ...]
    disclaimer: str
    attributions: dict[str, str]
    """By client."""
    blocks: dict[str, str]
    """Header blocks and dividers, by client."""


ENGLISH = Tongue(
    news=(
        "Thanks, that fixed it.",
        "Hello Maria,\n\nthe second parcel (no. 4711-22) arrived on 12 November at 10:30, but one lamp is missing.\n\nWhat I need:\n- the green lamp\n- an invoice to ann@example.org\n\nCan you ring me on Friday?",
        "Yes: from Monday to Friday, and not on 24/12.\nYour colleague wrote that it would be free. Is it?",
    ),
    old="Dear Ms Smith,\n\nthank you for your message. Your order was sent on 10 November.\n\nKind regards\nSupport",
    sign_offs=(
        "Best regards,\nAnn Smith",
        "Many thanks and best regards\n\nAnn Smith | Head of Purchasing\nExample Ltd, 12 High Street, Leeds LS1 4AP\nT +44 113 496 0000 | www.example.org",
        "Thanks,\nAnn",
        "-- \nAnn Smith\nPurchasing\nann@example.org",
        "Yours faithfully\nA. Smith (Mrs)",
    ),
    mobile=(
        "Sent from my iPhone",
        "Sent from my iPad",
        "Get Outlook for iOS",
        "Sent from my Galaxy S24",
        "Sent from Mail for Windows",
        "Sent from Yahoo Mail: Search, Organize, Conquer",
    ),
    disclaimer="This email and any files transmitted with it are confidential and intended solely for the use of the\nindividual or entity to whom they are addressed.",
    attributions={
        "gmail": "On Tue, Nov 10, 2026 at 4:05 PM Example Support <support@example.com> wrote:",
        "gmail narrow space": "On Tue, Nov 10, 2026 at 4:05\u202fPM Example Support <support@example.com> wrote:",
        "gmail british": "On Tue, 10 Nov 2026 at 16:05, Example Support <support@example.com> wrote:",
        "apple": "On Nov 10, 2026, at 16:05, Example Support <support@example.com> wrote:",
        "apple narrow space": "On Nov 10, 2026, at 4:05\u202fPM, Example Support <support@example.com> wrote:",
        "yahoo": "On Tuesday, November 10, 2026 at 04:05:12 PM GMT, Example Support <support@example.com> wrote:",
        "thunderbird": "On 10/11/2026 16:05, Example Support wrote:",
        "thunderbird am": "On 11/10/2026 4:05 PM, Example Support wrote:",
        "proton": "On Tuesday, November 10th, 2026 at 16:05, Example Support <support@example.com> wrote:",
        "proton new": "On Tuesday, 10 November 2026 at 16:05, support@example.com <support@example.com> wrote:",
        "163": 'At 2026-11-10 16:05:12, "Example Support" <support@example.com> wrote:',
        "superhuman": "On Tue, Nov 10, 2026 at 4:05 PM, Example Support < support@example.com > wrote:",
        "front": "On November 10, 2026 at 4:05 PM GMT support@example.com wrote:",
        "hey": "On November 10, 2026, Example Support <support@example.com> wrote:",
    },
    blocks={
        "outlook desktop": "From: Example Support <support@example.com>\nSent: 10 November 2026 16:05\nTo: Ann Smith <ann@example.org>\nSubject: Your order 4711",
        "outlook web": "________________________________\nFrom: Example Support <support@example.com>\nSent: Tuesday, November 10, 2026 4:05:12 PM\nTo: Ann Smith <ann@example.org>\nCc: Bob Jones <bob@example.org>\nSubject: Your order 4711",
        "outlook mac": "From: Example Support <support@example.com>\nDate: Tuesday, 10 November 2026 at 16:05\nTo: Ann Smith <ann@example.org>\nSubject: Your order 4711",
        "windows mail": "From: Example Support\nSent: 10 November 2026 16:05\nTo: Ann Smith\nSubject: Your order 4711",
        "qq": '------------------ Original ------------------\nFrom:  "Example Support"<support@example.com>;\nDate:  Tue, Nov 10, 2026 04:05 PM\nTo:  "ann"<ann@qq.com>;\n\nSubject:  Your order 4711',
        "163 master": "---- Replied Message ----\n| From | Example Support<support@example.com> |\n| Date | 11/10/2026 16:05 |\n| To | ann<ann@163.com> |\n| Subject | Your order 4711 |",
        "android": "-------- Original message --------\nFrom: Example Support <support@example.com>\nDate: 10/11/2026 16:05 (GMT+00:00)\nTo: Ann Smith <ann@example.org>\nSubject: Your order 4711",
        "proton": "------- Original Message -------\nOn Tuesday, November 10th, 2026 at 4:05 PM, Example Support <support@example.com> wrote:",
        "gmail forward": "---------- Forwarded message ---------\nFrom: Example Support <support@example.com>\nDate: Tue, Nov 10, 2026 at 4:05 PM\nSubject: Your order 4711\nTo: Ann Smith <ann@example.org>",
        "apple forward": "Begin forwarded message:\n\nFrom: Example Support <support@example.com>\nSubject: Your order 4711\nDate: November 10, 2026 at 4:05:12 PM GMT\nTo: Ann Smith <ann@example.org>\nReply-To: support@example.com",
    },
)

GERMAN = Tongue(
    news=(
        "Danke, hat geklappt!",
        "Guten Tag Frau Berger,\n\ndas zweite Paket (Nr. 4711-22) kam am 12.11. um 10:30 Uhr an, aber eine Lampe fehlt.\n\nIch brauche:\n- die grüne Lampe\n- eine Rechnung an ann@example.org\n\nKönnen Sie mich am Freitag anrufen?",
        "Ja: von Montag bis Freitag, nicht am 24.12.\nIhr Kollege schrieb, es sei kostenlos. Stimmt das?",
    ),
    old="Sehr geehrte Frau Schmidt,\n\nvielen Dank für Ihre Nachricht. Ihre Bestellung wurde am 10. November versandt.\n\nFreundliche Grüße\nIhr Kundendienst",
    sign_offs=(
        "Mit freundlichen Grüßen\nAnn Schmidt",
        "Freundliche Grüße aus Bremen\n\ni. A. Ann Schmidt\nEinkauf\n\nBeispiel GmbH & Co. KG\nHauptstr. 12 | 28195 Bremen\nTel.: +49 421 123456-0\nRegistergericht: Amtsgericht Bremen HRA 12345\nGeschäftsführer: Max Muster",
        "Liebe Grüße\nAnn",
        "Vielen Dank und beste Grüße\nAnn Schmidt",
        "-- \nAnn Schmidt",
        "LG Ann",
    ),
    mobile=(
        "Von meinem iPhone gesendet",
        "Gesendet mit der WEB.DE Mail App",
        "Diese Nachricht wurde von meinem Android-Gerät mit WEB.DE Mail gesendet.",
        "Outlook für iOS beziehen",
        "Outlook für Android herunterladen",
        "Von Samsung-Mobilgerät gesendet",
        "Gesendet von Outlook für iOS",
        "Gesendet von Yahoo Mail auf Android",
    ),
    disclaimer="Diese E-Mail kann vertrauliche und/oder rechtlich geschützte Informationen enthalten. Wenn Sie nicht der\nbeabsichtigte Empfänger sind, informieren Sie bitte sofort den Absender und löschen Sie diese E-Mail.",
    attributions={
        "gmail": "Am Di., 10. Nov. 2026 um 16:05 Uhr schrieb Beispiel Support <support@example.com>:",
        "gmail old": "Am 10. November 2026 um 16:05 schrieb Beispiel Support <support@example.com>:",
        "apple": "Am 10.11.2026 um 16:05 schrieb Beispiel Support <support@example.com>:",
        "apple long": "Am 10. November 2026 um 16:05:12 schrieb Beispiel Support <support@example.com>:",
        "yahoo": "Am Dienstag, 10. November 2026 um 16:05:12 MEZ hat Beispiel Support <support@example.com> Folgendes geschrieben:",
        "thunderbird": "Am 10.11.26 um 16:05 schrieb Beispiel Support:",
        "thunderbird address": "Am 10.11.2026 um 16:05 schrieb support@example.com:",
        "proton": "Am Dienstag, 10. November 2026 um 16:05 schrieb Beispiel Support <support@example.com>:",
        "gmx app": "Am 10.11.26, 16:05 schrieb Beispiel Support <support@example.com>:",
        "freenet": "Beispiel Support <support@example.com> schrieb am 10.11.2026 16:05:",
        "t-online": 'Am 10.11.2026 um 16:05 schrieb "Beispiel Support" <support@example.com>:',
        "samsung": "Am 10.11.2026 16:05 schrieb Beispiel Support <support@example.com>:",
        "roundcube": "Am 2026-11-10 16:05, schrieb Beispiel Support:",
    },
    blocks={
        "outlook desktop": "Von: Beispiel Support <support@example.com>\nGesendet: Dienstag, 10. November 2026 16:05\nAn: Ann Schmidt <ann@example.org>\nBetreff: Ihre Bestellung 4711",
        "outlook web": "________________________________\nVon: Beispiel Support <support@example.com>\nGesendet: Dienstag, 10. November 2026 16:05:12\nAn: Ann Schmidt <ann@example.org>\nCc: Bob <bob@example.org>\nBetreff: Ihre Bestellung 4711",
        "outlook mac": "Von: Beispiel Support <support@example.com>\nDatum: Dienstag, 10. November 2026 um 16:05\nAn: Ann Schmidt <ann@example.org>\nBetreff: Ihre Bestellung 4711",
        "outlook importance": "Von: Beispiel Support <support@example.com>\nGesendet: Dienstag, 10. November 2026 16:05\nAn: Ann Schmidt <ann@example.org>\nBetreff: Ihre Bestellung 4711\nPriorität: Hoch",
        "web.de": 'Gesendet: Dienstag, 10. November 2026 um 16:05\nVon: "Beispiel Support" <support@example.com>\nAn: ann@example.org\nBetreff: Ihre Bestellung 4711',
        "t-online": '-----Original-Nachricht-----\nBetreff: Ihre Bestellung 4711\nDatum: 2026-11-10T16:05:12+0100\nVon: "Beispiel Support" <support@example.com>\nAn: "ann@example.org" <ann@example.org>',
        "android": "-------- Ursprüngliche Nachricht --------\nVon: Beispiel Support <support@example.com>\nDatum: 10.11.26 16:05 (GMT+01:00)\nAn: Ann Schmidt <ann@example.org>\nBetreff: Ihre Bestellung 4711",
        "apple forward": "Anfang der weitergeleiteten Nachricht:\n\nVon: Beispiel Support <support@example.com>\nBetreff: Ihre Bestellung 4711\nDatum: 10. November 2026 um 16:05:12 MEZ\nAn: Ann Schmidt <ann@example.org>",
        "proton": "------- Ursprüngliche Nachricht -------\nAm Dienstag, 10. November 2026 um 16:05 schrieb Beispiel Support <support@example.com>:",
    },
)

FRENCH = Tongue(
    news=(
        "Merci, c'est réglé !",
        "Bonjour Madame,\n\nle deuxième colis (n° 4711-22) est arrivé le 12 novembre à 10h30, mais il manque une lampe.\n\nIl me faut :\n- la lampe verte\n- une facture à anne@example.org\n\nPouvez-vous m'appeler vendredi ?",
        "Oui : du lundi au vendredi, sauf le 24/12.\nVotre collègue m'a écrit que c'était gratuit. Est-ce vrai ?",
    ),
    old="Madame,\n\nnous vous remercions de votre message. Votre commande est partie le 10 novembre.\n\nCordialement\nLe service clients",
    sign_offs=(
        "Cordialement,\nAnne Petit",
        "Bien cordialement,\n\nAnne PETIT\nResponsable achats\nExemple SARL\n12 rue de la Paix, 75002 Paris\nTél. : 01 23 45 67 89",
        "Bonne journée,\nAnne",
        "Très cordialement\nAnne Petit",
        "Je vous prie d'agréer, Madame, Monsieur, l'expression de mes salutations distinguées.\n\nAnne Petit",
        "-- \nAnne Petit",
    ),
    mobile=(
        "Envoyé de mon iPhone",
        "Envoyé depuis mon appareil Galaxy",
        "Télécharger Outlook pour Android",
        "Envoyé à partir de Courrier pour Windows",
        "Envoyé depuis Yahoo Mail pour iPhone",
        "Obtenir Outlook pour iOS",
        "Provenance : Courrier pour Windows 10",
    ),
    disclaimer="Ce message et ses pièces jointes sont confidentiels et destinés exclusivement à leurs destinataires.",
    attributions={
        "orange": '> Message du 10/11/26 16:05\n> De : "Exemple Support" <support@example.com>\n> A : "Anne Petit" <anne@example.org>\n> Copie à :\n> Objet : Votre commande 4711',
        "gmail": "Le mar. 10 nov. 2026 à 16:05, Exemple Support <support@example.com> a écrit :",
        "gmail nbsp": "Le mar. 10 nov. 2026 à 16:05, Exemple Support <support@example.com> a écrit\u00a0:",
        "gmail canada": "Le mar. 10 nov. 2026, à 16 h 05, Exemple Support <support@example.com> a écrit :",
        "apple": "Le 10 nov. 2026 à 16:05, Exemple Support <support@example.com> a écrit :",
        "yahoo": "Le mardi 10 novembre 2026 à 16:05:12 UTC+1, Exemple Support <support@example.com> a écrit :",
        "thunderbird": "Le 10/11/2026 à 16:05, Exemple Support a écrit :",
        "thunderbird nbsp": "Le 10/11/2026 à 16:05, Exemple Support a écrit\u00a0:",
        "proton": "Le mardi 10 novembre 2026 à 16:05, Exemple Support <support@example.com> a écrit :",
        "laposte": "Le 10/11/2026 16:05, Exemple Support <support@example.com> a écrit :",
        "zimbra": 'De: "Exemple Support" <support@example.com>\nÀ: "anne" <anne@example.org>\nEnvoyé: Mardi 10 Novembre 2026 16:05:12\nObjet: Votre commande 4711',
    },
    blocks={
        "outlook desktop": "De : Exemple Support <support@example.com>\nEnvoyé : mardi 10 novembre 2026 16:05\nÀ : Anne Petit <anne@example.org>\nObjet : Votre commande 4711",
        "outlook nbsp": "De\u00a0: Exemple Support <support@example.com>\nEnvoyé\u00a0: mardi 10 novembre 2026 16:05\nÀ\u00a0: Anne Petit <anne@example.org>\nObjet\u00a0: Votre commande 4711",
        "outlook web": "________________________________\nDe : Exemple Support <support@example.com>\nEnvoyé : mardi 10 novembre 2026 16:05:12\nÀ : Anne Petit <anne@example.org>\nCc : Bob <bob@example.org>\nObjet : Votre commande 4711",
        "outlook mac": "De : Exemple Support <support@example.com>\nDate : mardi, 10 novembre 2026 à 16:05\nÀ : Anne Petit <anne@example.org>\nObjet : Votre commande 4711",
        "android": "-------- Message d'origine --------\nDe : Exemple Support <support@example.com>\nDate : 10/11/2026 16:05 (GMT+01:00)\nÀ : Anne Petit <anne@example.org>\nObjet : Votre commande 4711",
        "gmail forward": "---------- Forwarded message ---------\nDe : Exemple Support <support@example.com>\nDate: mar. 10 nov. 2026 à 16:05\nSubject: Votre commande 4711\nTo: Anne Petit <anne@example.org>",
        "apple forward": "Début du message réexpédié :\n\nDe: Exemple Support <support@example.com>\nObjet: Votre commande 4711\nDate: 10 novembre 2026 à 16:05:12 UTC+1\nÀ: Anne Petit <anne@example.org>",
        "free": '----- Mail original -----\nDe: "Exemple Support" <support@example.com>\nÀ: "Anne Petit" <anne@example.org>\nEnvoyé: Mardi 10 Novembre 2026 16:05:12\nObjet: Votre commande 4711',
    },
)

SPANISH = Tongue(
    news=(
        "Gracias, ya funciona.",
        "Buenos días:\n\nel segundo paquete (n.º 4711-22) llegó el 12 de noviembre a las 10:30, pero falta una lámpara.\n\nNecesito:\n- la lámpara verde\n- una factura a ana@example.org\n\n¿Me pueden llamar el viernes?",
        "Sí: de lunes a viernes, menos el 24/12.\nSu compañero escribió que era gratis. ¿Es verdad?",
    ),
    old="Estimada Sra. García:\n\ngracias por su mensaje. Su pedido salió el 10 de noviembre.\n\nUn saludo\nAtención al cliente",
    sign_offs=(
        "Un saludo,\nAna García",
        "Reciba un cordial saludo\n\nAna García López\nDepartamento de Compras\nEjemplo S.L.\nC/ Mayor 12, 28013 Madrid\nTel. 912 345 678",
        "Saludos\nAna",
        "Muchas gracias,\nAna",
        "Atentamente,\n\nAna García",
        "-- \nAna García",
    ),
    mobile=(
        "Enviado desde mi iPhone",
        "Enviado desde mi Samsung Galaxy",
        "Obtener Outlook para iOS",
        "Obtener Outlook para Android",
        "Enviado desde Correo para Windows",
        "Enviado desde Yahoo Mail para Android",
    ),
    disclaimer="Este mensaje y sus archivos adjuntos son confidenciales y van dirigidos exclusivamente a su destinatario.",
    attributions={
        "gmail": "El mar, 10 nov 2026 a las 16:05, Ejemplo Soporte (<support@example.com>) escribió:",
        "gmail brackets": "El mar, 10 nov 2026 a las 16:05, Ejemplo Soporte (support@example.com) escribió:",
        "gmail latin": "El mar, 10 de nov. de 2026 4:05 p. m., Ejemplo Soporte <support@example.com> escribió:",
        "apple": "El 10 nov 2026, a las 16:05, Ejemplo Soporte <support@example.com> escribió:",
        "apple latin": "El 10 nov. 2026, a la(s) 4:05 p. m., Ejemplo Soporte <support@example.com> escribió:",
        "yahoo": "El martes, 10 de noviembre de 2026, 16:05:12 CET, Ejemplo Soporte <support@example.com> escribió:",
        "thunderbird": "El 10/11/26 a las 16:05, Ejemplo Soporte escribió:",
        "proton": "El martes, 10 de noviembre de 2026 a las 16:05, Ejemplo Soporte <support@example.com> escribió:",
        "terra": "El día 10/11/2026 16:05, Ejemplo Soporte <support@example.com> escribió:",
    },
    blocks={
        "outlook desktop": "De: Ejemplo Soporte <support@example.com>\nEnviado el: martes, 10 de noviembre de 2026 16:05\nPara: Ana García <ana@example.org>\nAsunto: Su pedido 4711",
        "outlook web": "________________________________\nDe: Ejemplo Soporte <support@example.com>\nEnviado: martes, 10 de noviembre de 2026 16:05:12\nPara: Ana García <ana@example.org>\nCC: Bob <bob@example.org>\nAsunto: Su pedido 4711",
        "outlook mac": "De: Ejemplo Soporte <support@example.com>\nFecha: martes, 10 de noviembre de 2026, 16:05\nPara: Ana García <ana@example.org>\nAsunto: Su pedido 4711",
        "android": "-------- Mensaje original --------\nDe: Ejemplo Soporte <support@example.com>\nFecha: 10/11/26 16:05 (GMT+01:00)\nPara: Ana García <ana@example.org>\nAsunto: Su pedido 4711",
        "gmail forward": "---------- Forwarded message ---------\nDe: Ejemplo Soporte <support@example.com>\nDate: mar, 10 nov 2026 a las 16:05\nSubject: Su pedido 4711\nTo: Ana García <ana@example.org>",
        "apple forward": "Inicio del mensaje reenviado:\n\nDe: Ejemplo Soporte <support@example.com>\nAsunto: Su pedido 4711\nFecha: 10 de noviembre de 2026, 16:05:12 CET\nPara: Ana García <ana@example.org>",
        "thunderbird forward": "-------- Mensaje reenviado --------\nAsunto: \tSu pedido 4711\nFecha: \tTue, 10 Nov 2026 16:05:12 +0100\nDe: \tEjemplo Soporte <support@example.com>\nPara: \tAna García <ana@example.org>",
    },
)

PORTUGUESE = Tongue(
    news=(
        "Obrigado, já deu certo!",
        "Bom dia,\n\no segundo pacote (nº 4711-22) chegou no dia 12 de novembro às 10:30, mas falta uma luminária.\n\nPreciso de:\n- a luminária verde\n- uma nota fiscal para ana@example.org\n\nPodem me ligar na sexta?",
        "Sim: de segunda a sexta, menos em 24/12.\nO seu colega escreveu que era grátis. É verdade?",
    ),
    old="Prezada Sra. Souza,\n\nagradecemos a sua mensagem. O seu pedido saiu em 10 de novembro.\n\nAtenciosamente\nAtendimento",
    sign_offs=(
        "Atenciosamente,\nAna Souza",
        "Com os melhores cumprimentos,\n\nAna Souza\nDepartamento de Compras\nExemplo Lda.\nTel. +351 21 123 45 67",
        "Abraço,\nAna",
        "Att.,\nAna Souza",
        "Obrigada,\nAna",
        "Cumprimentos\nAna Souza",
    ),
    mobile=(
        "Enviado do meu iPhone",
        "Enviado do meu Galaxy",
        "Obter o Outlook para iOS",
        "Obter Outlook para Android",
        "Enviado do Email para Windows",
        "Enviado a partir do Outlook para Android",
    ),
    disclaimer="Esta mensagem e seus anexos são confidenciais e destinam-se exclusivamente ao destinatário.",
    attributions={
        "gmail": "Em ter., 10 de nov. de 2026 às 16:05, Exemplo Suporte <support@example.com> escreveu:",
        "gmail portugal": "Exemplo Suporte <support@example.com> escreveu (terça, 10/11/2026 à(s) 16:05):",
        "gmail app": "Em ter, 10 de nov de 2026 16:05, Exemplo Suporte <support@example.com> escreveu:",
        "apple": "Em 10 de nov. de 2026, à(s) 16:05, Exemplo Suporte <support@example.com> escreveu:",
        "apple portugal": "No dia 10/11/2026, às 16:05, Exemplo Suporte <support@example.com> escreveu:",
        "yahoo": "Em terça-feira, 10 de novembro de 2026 às 16:05:12 BRT, Exemplo Suporte <support@example.com> escreveu:",
        "thunderbird": "Em 10/11/2026 16:05, Exemplo Suporte escreveu:",
        "proton": "Em terça-feira, 10 de novembro de 2026 às 16:05, Exemplo Suporte <support@example.com> escreveu:",
    },
    blocks={
        "outlook desktop": "De: Exemplo Suporte <support@example.com>\nEnviada em: terça-feira, 10 de novembro de 2026 16:05\nPara: Ana Souza <ana@example.org>\nAssunto: Seu pedido 4711",
        "outlook web": "________________________________\nDe: Exemplo Suporte <support@example.com>\nEnviado: terça-feira, 10 de novembro de 2026 16:05:12\nPara: Ana Souza <ana@example.org>\nCc: Bob <bob@example.org>\nAssunto: Seu pedido 4711",
        "outlook mac": "De: Exemplo Suporte <support@example.com>\nData: terça-feira, 10 de novembro de 2026 16:05\nPara: Ana Souza <ana@example.org>\nAssunto: Seu pedido 4711",
        "android": "-------- Mensagem original --------\nDe: Exemplo Suporte <support@example.com>\nData: 10/11/2026 16:05 (GMT-03:00)\nPara: Ana Souza <ana@example.org>\nAssunto: Seu pedido 4711",
        "gmail forward": "---------- Forwarded message ---------\nDe: Exemplo Suporte <support@example.com>\nDate: ter., 10 de nov. de 2026 às 16:05\nSubject: Seu pedido 4711\nTo: Ana Souza <ana@example.org>",
        "apple forward": "Início da mensagem encaminhada:\n\nDe: Exemplo Suporte <support@example.com>\nAssunto: Seu pedido 4711\nData: 10 de novembro de 2026 às 16:05:12 BRT\nPara: Ana Souza <ana@example.org>",
    },
)

ITALIAN = Tongue(
    news=(
        "Grazie, ora funziona.",
        "Buongiorno,\n\nil secondo pacco (n. 4711-22) è arrivato il 12 novembre alle 10:30, ma manca una lampada.\n\nMi serve:\n- la lampada verde\n- una fattura a anna@example.org\n\nPotete chiamarmi venerdì?",
        "Sì: da lunedì a venerdì, tranne il 24/12.\nIl vostro collega ha scritto che era gratis. È vero?",
    ),
    old="Gentile Sig.ra Rossi,\n\ngrazie per il suo messaggio. L'ordine è partito il 10 novembre.\n\nCordiali saluti\nServizio clienti",
    sign_offs=(
        "Cordiali saluti,\nAnna Rossi",
        "Distinti saluti\n\nAnna Rossi\nUfficio Acquisti\nEsempio S.r.l.\nVia Roma 12 - 20121 Milano\nTel. 02 1234567",
        "Un saluto\nAnna",
        "Grazie mille e buona giornata,\nAnna",
        "Saluti\nAnna",
        "-- \nAnna Rossi",
    ),
    mobile=(
        "Inviato da iPhone",
        "Inviato da Libero Mail per Android",
        "Ottieni Outlook per iOS",
        "Inviato da Posta per Windows",
        "Scarica Outlook per Android",
        "Inviato dal mio Galaxy",
    ),
    disclaimer="Questo messaggio e i suoi allegati sono riservati e destinati esclusivamente al destinatario.",
    attributions={
        "gmail": "Il giorno mar 10 nov 2026 alle ore 16:05 Esempio Supporto <support@example.com> ha scritto:",
        "gmail app": "Il mar 10 nov 2026, 16:05 Esempio Supporto <support@example.com> ha scritto:",
        "apple": "Il giorno 10 nov 2026, alle ore 16:05, Esempio Supporto <support@example.com> ha scritto:",
        "yahoo": "Il martedì 10 novembre 2026 alle ore 16:05:12 CET, Esempio Supporto <support@example.com> ha scritto:",
        "thunderbird": "Il 10/11/26 16:05, Esempio Supporto ha scritto:",
        "proton": "martedì 10 novembre 2026 16:05, Esempio Supporto <support@example.com> ha scritto:",
        "libero": "Il 10/11/2026 16:05 CET Esempio Supporto <support@example.com> ha scritto:",
    },
    blocks={
        "outlook desktop": "Da: Esempio Supporto <support@example.com>\nInviato: martedì 10 novembre 2026 16:05\nA: Anna Rossi <anna@example.org>\nOggetto: Il suo ordine 4711",
        "outlook web": "________________________________\nDa: Esempio Supporto <support@example.com>\nInviato: martedì 10 novembre 2026 16:05:12\nA: Anna Rossi <anna@example.org>\nCc: Bob <bob@example.org>\nOggetto: Il suo ordine 4711",
        "outlook mac": "Da: Esempio Supporto <support@example.com>\nData: martedì, 10 novembre 2026 16:05\nA: Anna Rossi <anna@example.org>\nOggetto: Il suo ordine 4711",
        "android": "-------- Messaggio originale --------\nDa: Esempio Supporto <support@example.com>\nData: 10/11/26 16:05 (GMT+01:00)\nA: Anna Rossi <anna@example.org>\nOggetto: Il suo ordine 4711",
        "libero": '----Messaggio originale----\nDa: "Esempio Supporto" <support@example.com>\nData: 10/11/2026 16:05\nA: <anna@example.org>\nOgg: Il suo ordine 4711',
        "apple forward": "Inizio messaggio inoltrato:\n\nDa: Esempio Supporto <support@example.com>\nOggetto: Il suo ordine 4711\nData: 10 novembre 2026 alle ore 16:05:12 CET\nA: Anna Rossi <anna@example.org>",
    },
)

DUTCH = Tongue(
    news=(
        "Bedankt, het werkt weer.",
        "Goedemiddag,\n\nhet tweede pakket (nr. 4711-22) kwam op 12 november om 10:30 aan, maar er ontbreekt een lamp.\n\nIk heb nodig:\n- de groene lamp\n- een factuur naar anna@example.org\n\nKunt u mij vrijdag bellen?",
        "Ja: van maandag tot vrijdag, behalve 24/12.\nUw collega schreef dat het gratis was. Klopt dat?",
    ),
    old="Geachte mevrouw De Vries,\n\nbedankt voor uw bericht. Uw bestelling is op 10 november verzonden.\n\nMet vriendelijke groet\nKlantenservice",
    sign_offs=(
        "Met vriendelijke groet,\nAnna de Vries",
        "Met vriendelijke groeten,\n\nAnna de Vries\nInkoop\nVoorbeeld B.V.\nKerkstraat 12, 1017 GL Amsterdam\nT: 020 123 45 67",
        "Groeten,\nAnna",
        "Groetjes Anna",
        "Alvast bedankt,\nAnna",
        "Mvg,\nAnna",
    ),
    mobile=(
        "Verzonden vanaf mijn iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Outlook voor iOS downloaden",
        "Outlook voor Android downloaden",
        "Verzonden vanuit Mail voor Windows",
        "Verzonden met ProtonMail beveiligde e-mail.",
        "Verzonden vanaf mijn Galaxy",
    ),
    disclaimer="Dit bericht en eventuele bijlagen zijn vertrouwelijk en uitsluitend bestemd voor de geadresseerde.",
    attributions={
        "gmail": "Op di 10 nov 2026 om 16:05 schreef Voorbeeld Support <support@example.com>:",
        "gmail app": "Op di 10 nov. 2026 16:05 schreef Voorbeeld Support <support@example.com>:",
        "apple": "Op 10 nov 2026 om 16:05 heeft Voorbeeld Support <support@example.com> het volgende geschreven:",
        "apple ios": "Op 10 nov. 2026 om 16:05 heeft Voorbeeld Support <support@example.com> het volgende geschreven:",
        "yahoo": "Op dinsdag 10 november 2026 om 16:05:12 CET schreef Voorbeeld Support <support@example.com>:",
        "thunderbird": "Op 10-11-2026 om 16:05 schreef Voorbeeld Support:",
        "proton": "Op dinsdag 10 november 2026 om 16:05 schreef Voorbeeld Support <support@example.com>:",
        "ziggo": "Op 10 november 2026 16:05 schreef Voorbeeld Support <support@example.com>:",
        "kpn": "Voorbeeld Support <support@example.com> schreef op 10 november 2026 om 16:05:",
    },
    blocks={
        "outlook desktop": "Van: Voorbeeld Support <support@example.com>\nVerzonden: dinsdag 10 november 2026 16:05\nAan: Anna de Vries <anna@example.org>\nOnderwerp: Uw bestelling 4711",
        "outlook web": "________________________________\nVan: Voorbeeld Support <support@example.com>\nVerzonden: dinsdag 10 november 2026 16:05:12\nAan: Anna de Vries <anna@example.org>\nCC: Bob <bob@example.org>\nOnderwerp: Uw bestelling 4711",
        "outlook mac": "Van: Voorbeeld Support <support@example.com>\nDatum: dinsdag, 10 november 2026 om 16:05\nAan: Anna de Vries <anna@example.org>\nOnderwerp: Uw bestelling 4711",
        "android": "-------- Oorspronkelijk bericht --------\nVan: Voorbeeld Support <support@example.com>\nDatum: 10-11-2026 16:05 (GMT+01:00)\nAan: Anna de Vries <anna@example.org>\nOnderwerp: Uw bestelling 4711",
        "apple forward": "Begin doorgestuurd bericht:\n\nVan: Voorbeeld Support <support@example.com>\nOnderwerp: Uw bestelling 4711\nDatum: 10 november 2026 om 16:05:12 CET\nAan: Anna de Vries <anna@example.org>",
        "thunderbird forward": "-------- Doorgestuurd bericht --------\nOnderwerp: \tUw bestelling 4711\nDatum: \tTue, 10 Nov 2026 16:05:12 +0100\nVan: \tVoorbeeld Support <support@example.com>\nAan: \tanna@example.org",
    },
)
WEST = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "pt": PORTUGUESE, "it": ITALIAN, "nl": DUTCH}
