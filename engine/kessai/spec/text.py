"""Names and sentences in every language that is spoken here."""

import attrs

LANGUAGES = ("en", "ja")


@attrs.frozen
class Text:
    """A name or a sentence in every language a lifecycle must speak."""

    en: str
    ja: str

    def in_language(self, language: str) -> str:
        """The text in `language`, `en` or `ja`."""
        return self.ja if language == "ja" else self.en
