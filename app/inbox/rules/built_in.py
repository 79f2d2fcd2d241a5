"""The rules that come with the program: questions in many languages, and signals of spam.

Pure. They are copied into the database once, where the team edits them or switches them off; a
later version of the program freshens only those that nobody has edited (docs/rules.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A rule of the program; `key` stays what it is, whatever the team calls the rule."""

    key: str
    name: str
    conditions: Mapping[str, Any]
    effect: Mapping[str, Any]


def _says(*words: str, where: str = "anywhere", negated: bool = False) -> dict[str, Any]:
    return {"where": where, "any": list(words), "negated": negated}


def _starts(*words: str) -> dict[str, Any]:
    return _says(*words, where="sentence_start")


def _asks(key: str, language: str, *text: Mapping[str, Any]) -> BuiltIn:
    conditions = {"text_match": "any", "text": list(text)}
    effect = {"kind": "question", "reason": f"Asks something, in {language}."}
    return BuiltIn(f"question_{key}", f"Question in {language}", conditions, effect)


def _spam(key: str, name: str, reason: str, **conditions: Any) -> BuiltIn:
    effect = {"kind": "signal", "code": f"spam_{key}", "reason": reason}
    return BuiltIn(f"spam_{key}", name, conditions, effect)


_ENGLISH = (
    _starts(
        "who", "whose", "whom", "which", "where", "why", "how do", "how does", "how did", "how is",
        "how are", "how was", "how were", "how can", "how could", "how should", "how would",
        "how will", "how much", "how many", "how long", "how far", "how often", "how old",
        "how soon", "how big", "how come", "how about", "what is", "what are", "what was",
        "what were", "what do", "what does", "what did", "what can", "what could", "what should",
        "what will", "what would", "what has", "what have", "what's", "whats", "what time",
        "what kind", "what type", "what happened", "what happens", "what about", "when is",
        "when are", "when was", "when were", "when do", "when does", "when did", "when can",
        "when will", "when would", "is there", "are there", "is it", "is this", "is that",
        "are you", "are we", "are they", "do you", "do we", "do they", "does", "did you",
        "did they", "did it", "can i", "can you", "can we", "can someone", "can anyone",
        "can somebody", "could you", "could i", "could someone", "could we", "would you",
        "will you", "will there", "will it", "will this", "should i", "should we", "may i",
        "have you", "has anyone", "have they", "has it", "isn't it", "don't you", "doesn't",
        "aren't you", "any idea", "any ideas", "any chance", "any news", "any update",
        "any updates", "anyone know", "anybody know", "does anyone", "do i need", "am i",
        "was it", "was there", "were there",
    ),
    _says(
        "does anyone know", "does anybody know", "can anyone", "can someone", "can you help",
        "can you please", "could you please", "can i get", "how do i", "how can i", "how do we",
        "how long will", "is there a way", "is there any", "is there anyway", "i wonder",
        "wondering if", "wondering how", "wondering why", "wondering when", "any idea",
        "any update", "please advise", "please explain", "please help", "need help",
        "tell me how", "tell me why", "tell me what", "tell me when", "let me know if",
        "let me know how", "let me know when", "want to know", "would like to know",
    ),
)  # fmt: skip
QUESTIONS: Final[Sequence[BuiltIn]] = (
    BuiltIn(
        "question_mark",
        "Question mark",
        {"text": [_says("?", "؟", "՞", "¿")]},
        {"kind": "question", "reason": "Has a question mark."},
    ),
    _asks("en", "English", *_ENGLISH),
    _asks("de", "German", _starts(
        "wer", "wen", "wem", "wessen", "wo", "woher", "wohin", "warum", "wieso", "weshalb",
        "was ist", "was sind", "was kann", "was macht", "was machen", "was hat", "was war",
        "was soll", "was kostet", "was wird", "was für", "wie ist", "wie sind", "wie war",
        "wie geht", "wie kann", "wie lange", "wie viel", "wie viele", "wie oft", "wie macht",
        "wie heißt", "wie komme", "wann", "welche", "welcher", "welches", "welchen", "gibt es",
        "gibt's", "kann ich", "kann man", "kannst du", "können sie", "könnt ihr", "könnte man",
        "könntet ihr", "könnten sie", "hast du", "habt ihr", "haben sie", "hat jemand",
        "hat wer", "weiß jemand", "weiß wer", "wisst ihr", "weißt du", "kennt jemand",
        "kennt ihr", "kennst du", "bist du", "seid ihr", "sind sie", "ist das", "ist es",
        "wird es", "darf ich", "darf man", "muss ich", "muss man", "soll ich", "werdet ihr",
        "warst du", "wart ihr", "wollt ihr", "willst du", "möchtest du",
    ), _says("weiß jemand", "kann mir jemand", "kann jemand", "ich frage mich", "wüsste gern",
             "könnt ihr mir", "könnten sie mir")),
    _asks("fr", "French", _starts(
        "qui", "quand", "où", "pourquoi", "combien", "comment", "quel", "quelle", "quels",
        "quelles", "est ce que", "est-ce que", "qu'est ce que", "que faire", "avez vous",
        "pouvez vous", "peut on", "y a t il",
    ), _says("est ce que", "quelqu'un sait", "quelqu'un peut", "je me demande",
             "pouvez vous", "pourriez vous")),
    _asks("es", "Spanish", _starts(
        "qué", "quién", "quiénes", "cuál", "cuáles", "cuándo", "cuánto", "cuánta", "cuántos",
        "cuántas", "dónde", "cómo", "por qué", "a qué", "en qué", "de qué", "con qué",
        "para qué", "a quién", "de quién", "de dónde", "desde cuándo", "hay alguna", "hay algún",
        "puedo", "pueden", "podrían", "alguien sabe", "alguien puede", "saben si", "tienen",
        "como puedo", "como hago", "cuando llega", "cuando sale", "cuanto cuesta",
        "cuanto tiempo", "donde puedo", "por que no",
    ), _says("alguien sabe", "me pregunto", "quisiera saber", "me pueden", "podrían decirme",
             "qué", "cuál", "quién", "cuándo", "dónde", "cuántos", "cuántas")),
    _asks("pt", "Portuguese", _starts(
        "quem", "quando", "onde", "por que", "porque é que", "quanto custa", "quantos",
        "quantas", "qual", "quais", "como faço", "como posso", "o que é", "posso", "vocês têm",
        "alguém sabe", "tem como", "será que",
    ), _says("alguém sabe", "gostaria de saber", "quero saber", "podem me")),
    _asks("it", "Italian", _starts(
        "chi", "quando", "dove", "perché", "quanto", "quanti", "quante", "quale", "quali",
        "qual è", "cosa", "che cosa", "come si", "come posso", "come faccio", "posso",
        "si può", "qualcuno sa", "avete", "c'è un",
    ), _says("qualcuno sa", "vorrei sapere", "mi chiedo", "potete dirmi")),
    _asks("nl", "Dutch", _starts(
        "wie", "wat is", "wat zijn", "wat kost", "waar", "waarom", "wanneer", "hoe kan", "hoe lang",
        "hoeveel", "hoe werkt", "hoe kom", "welke", "is er", "zijn er", "kan ik", "kunnen jullie",
        "kunt u", "hebben jullie", "weet iemand", "heeft iemand",
    ), _says("weet iemand", "kan iemand", "ik vraag me af")),
    _asks("sv", "Swedish", _starts(
        "vem", "vems", "vilka", "vilken", "vilket", "var finns", "var kan", "var är", "vart",
        "varför", "när är", "när kommer", "när ska", "hur", "vad är", "vad har", "vad kan",
        "vad gör", "vad tycker", "vad ska", "vad kostar", "vad betyder", "vad heter", "är det",
        "är du", "är ni", "finns det", "kan jag", "kan man", "kan du", "kan ni", "har du",
        "har ni", "har någon", "har man", "vet någon", "vet ni", "vet du", "någon som vet",
        "någon som har", "ska jag", "ska man", "måste jag", "måste man", "får jag", "får man",
        "brukar ni", "tror ni", "tycker ni", "skulle ni", "borde jag", "blir det", "vill du",
        "går det",
    ), _says("någon som vet", "vet någon", "undrar om", "undrar hur", "undrar vad",
             "undrar varför", "jag undrar", "undrar jag", "kan någon")),
    _asks("ru", "Russian", _starts(
        "кто", "что такое", "что делать", "когда", "где", "куда", "откуда", "почему", "зачем",
        "сколько", "какой", "какая", "какое", "какие", "каков", "какова", "как", "чей", "можно ли",
        "есть ли", "можно", "подскажите", "в каком", "в какой", "на каком", "кого", "кому", "чем",
    ), _says("подскажите", "скажите", "кто знает", "кто нибудь", "ли", "какой", "какую",
             "сколько")),
    _asks("el", "Greek", _starts(
        "ποιος", "ποια", "ποιο", "ποιοι", "ποιες", "ποιον", "τι", "πότε", "πού", "πώς", "γιατί",
        "πόσο", "πόσα", "πόσοι", "πόσες", "πόσους", "μπορώ", "μπορείτε", "υπάρχει", "ξέρει",
        "σε ποιο", "σε ποια", "από πού",
    ), _says("ποιος", "ποια", "ποιο", "πότε", "πόσα", "πόσοι", "πόσες")),
    _asks("tr", "Turkish", _says(
        "mi", "mı", "mu", "mü", "mısınız", "misiniz", "musunuz", "müsünüz", "mıyım", "miyim",
        "nedir", "neden", "niçin", "niye", "nasıl", "nerede", "nereye", "nereden", "kim",
        "kimdir", "kimin", "kaç", "kaçtır", "hangi", "hangisi", "ne zaman", "ne kadar",
    )),
    _asks("ar", "Arabic", _starts(
        "هل", "ما", "ماذا", "متى", "أين", "اين", "كيف", "لماذا", "ليش", "كم", "من هو", "من هي",
        "من الذي", "أي", "ممكن", "وين", "شلون", "من كان", "في أي", "ماهو", "ماهي",
    ), _says("هل", "لماذا", "ماذا", "متى")),
    _asks("hi", "Hindi", _says(
        "क्या", "कौन", "कब", "कहाँ", "कहां", "क्यों", "कैसे", "कितना", "कितने", "कितनी",
        "किसने", "किस", "कौनसा", "कैसा", "किसे", "किसका", "किन",
    )),
    _asks("th", "Thai", _says(
        "อะไร", "ใคร", "เมื่อไร", "เมื่อไหร่", "ที่ไหน", "ทำไม", "อย่างไร", "ยังไง", "เท่าไร",
        "เท่าไหร่", "หรือไม่",
        "ไหม", "หรือเปล่า", "มั้ย", "ใด", "กี่",
    )),
    _asks("vi", "Vietnamese", _says(
        "ai là", "cái gì", "là gì", "điều gì", "khi nào", "bao giờ", "ở đâu", "tại sao", "vì sao",
        "thế nào", "như thế nào", "bao nhiêu", "bao lâu", "không ạ", "phải không", "được không",
        "có phải", "năm nào", "nơi nào", "người nào", "nào",
    )),
    _asks("zh", "Chinese", _says(
        "什么", "什麼", "谁", "誰", "哪", "怎么", "怎麼", "怎样", "怎樣", "为什么", "為什麼",
        "为何", "多少",
        "几个", "幾個", "何时", "何時", "如何", "是否", "请问", "請問", "能不能", "可不可以",
        "是不是", "有没有",
    ), _says("吗", "嗎", "呢", "么", where="sentence_end")),
    _asks("ja", "Japanese", _says(
        "ですか", "ますか", "でしょうか", "ませんか", "どこ", "いつ", "なぜ", "どうして",
        "どうやって", "いくら",
        "教えてください", "誰が", "何時",
    ), _says("か", "かな", "かしら", where="sentence_end")),
    _asks("ko", "Korean", _says(
        "왜", "언제", "어디", "어떻게", "얼마*", "무엇", "뭐예요", "누구", "있나요", "되나요",
        "인가요",
        "할까요", "습니까", "알려주세요",
    ), _says("나요", "까요", "습니까", "니까", where="sentence_end")),
)  # fmt: skip
SPAM: Final[Sequence[BuiltIn]] = (
    _spam(
        "elsewhere", "Lures to another messenger",
        "Asks to be written to somewhere else, as frauds do.",
        text=[_says(
            "whatsapp", "whats app", "telegram", "wa.me", "t.me", "message me on", "text me on",
            "contact him on", "contact her on", "write her", "write him", "message her",
            "message him", "dm her", "dm him", "inbox her", "inbox him", "reach out to her",
            "reach out to him", "hit him up", "hit her up", "contact her", "contact him",
        )],
    ),
    _spam(
        "profit", "Promises easy money", "Promises easy money.",
        text=[_says(
            "make money", "earn money", "earn cash", "making money", "earning money",
            "passive income",
            "extra income", "financial freedom", "guaranteed profit", "double your", "get rich",
            "huge profit", "huge profits", "my profit", "my profits", "earned over", "made over",
            "made profit", "weekly profit", "daily profit", "return on investment", "profitable",
            "work from home", "payout", "payouts", "withdrew", "withdrawal", "investment platform",
            "expert trader", "trading expert", "account manager", "forex", "binary options",
            "invested with", "investing with", "trade with", "trading with", "recovery expert",
        )],
    ),
    _spam(
        "prize", "Promises a prize", "Promises a prize or something for nothing.",
        text=[_says(
            "you have won", "you've won", "u have won", "claim your", "to claim", "free gift card",
            "gift cards", "free iphone", "cash prize", "guaranteed prize", "prize", "giveaway",
            "winner", "selected to receive", "free entry", "voucher", "vouchers", "airdrop",
            "free followers", "free tones", "ringtone*", "bonus caller",
        )],
    ),
    _spam(
        "promotion", "Advertises a channel", "Advertises its own channel or page.",
        text=[_says(
            "check out my", "check my", "check out this", "check out our", "subscribe to my",
            "subscribe to me",
            "subscribe my", "sub to my", "sub to me", "sub 4 sub", "sub4sub", "follow me",
            "like for like", "my channel", "my chanel", "our channel", "visit my", "my music video",
            "my videos", "my new song", "my new video", "my cover", "my covers", "my page",
            "promote it on", "f4f",
            "please subscribe", "plz subscribe", "pls subscribe", "check me out", "listen to my",
            "view my", "watch my", "add me on", "send pic", "for collab", "dm for",
        )],
    ),
    _spam(
        "telephone", "Paid numbers and codes", "Asks to call or text a paid number.",
        text=[_says(
            "text stop", "txt stop", "reply stop", "to stop text", "send stop", "per msg", "150p",
            "p per", "call now", "call from landline", "landline", "txtauction", "national rate",
            "po box", "18+", "opt out", "to unsubscribe", "call 09*", "call 08*",
        )],
    ),
    _spam(
        "shortened", "Hides where a link leads", "Has a link that hides where it leads.",
        links={"at_least": 1, "hosts": [
            "bit.ly", "goo.gl", "adf.ly", "tinyurl.com", "ow.ly", "is.gd", "cutt.ly", "rb.gy",
            "shorturl.at", "t.ly", "rebrand.ly", "bc.vc", "adfoc.us", "linktr.ee",
        ]},
    ),
    _spam(
        "links", "Several links at first sight", "First message, and full of links.",
        links={"at_least": 3, "hosts": []},
        author={"first_message": True},
    ),
)  # fmt: skip
BUILT_IN: Final = (*QUESTIONS, *SPAM)
