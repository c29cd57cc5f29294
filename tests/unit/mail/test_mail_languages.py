"""In which language a mail is written."""

# ruff: noqa: RUF001

import pytest

from channels.mail.languages import language_of

WORDS = {
    "en": "Hello, where is my order? It was to arrive on Monday and I have not heard from you.",
    "de": "Guten Tag, mein Paket ist noch nicht da. Können Sie mir bitte sagen, wann ich es bekomme?",
    "fr": "Bonjour, je n'ai pas reçu ma commande. Pouvez-vous me dire quand elle arrive ? Merci pour votre aide.",
    "es": "Hola, mi pedido no ha llegado. ¿Me puede decir cuando llega? Muchas gracias por la ayuda.",
    "pt": "Olá, a minha encomenda ainda não chegou. Pode dizer-me quando ela chega? Obrigado pela ajuda com o assunto.",
    "it": "Buongiorno, il mio ordine non è arrivato. Mi può dire quando arriva? Grazie per la risposta.",
    "nl": "Hallo, ik heb mijn bestelling nog niet ontvangen. Kunt u mij zeggen wanneer het pakket komt?",
    "pl": "Dzień dobry, moje zamówienie jeszcze nie dotarło. Proszę o informację, kiedy to się stanie.",
    "ru": "Здравствуйте, мой заказ ещё не пришёл. Когда он будет?",
    "tr": "Merhaba, siparişim henüz gelmedi. Ne zaman gelir? Bu konuda bir bilgi var mı, lütfen yazın.",
    "ja": "注文した商品がまだ届きません。いつ届きますか？",
    "ko": "주문한 상품이 아직 도착하지 않았습니다. 언제 도착하나요?",
    "zh": "我的订单还没有到，请问什么时候能送到？",
}


@pytest.mark.parametrize(("language", "words"), WORDS.items())
def test_the_words_tell(language: str, words: str) -> None:
    assert language_of(words) == language
    assert language_of(words, "xx") == language


@pytest.mark.parametrize(
    ("said", "language"), [("de-AT", "de"), (" EN ", "en"), ("de, en", ""), ("", ""), ("\x00", "")]
)
def test_what_is_declared_counts_where_the_words_do_not_tell(said: str, language: str) -> None:
    assert language_of("Order 4711", said) == language


def test_any_length_takes_little_time() -> None:
    assert language_of("the " * 1_000_000) == "en"
