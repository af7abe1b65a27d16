"""Words and sentences by name: what a report or a command of the terminal says."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources

from kessai.spec.text import Text


class Words(Mapping[str, Text]):
    """Texts by name. `word = Words({…})`, and `word(name, language)` is one of them."""

    def __init__(self, texts: Mapping[str, Text]) -> None:
        self._texts = texts

    @classmethod
    def of_file(cls, package: str, file: str) -> "Words":
        """The words of a TOML file in `package`: a table a name, with `en` and `ja`."""
        found = resources.files(package).joinpath(file).read_text("utf-8")
        return cls({name: Text(**text) for name, text in tomllib.loads(found).items()})

    def __call__(self, name: str, language: str, /, **values: object) -> str:
        """The word `name` in `language`, `en` or `ja`; with `values`, they are filled in."""
        text = self._texts[name].in_language(language)
        return text.format_map(values) if values else text

    def in_language(self, language: str) -> Mapping[str, str]:
        """All words in `language`, by name."""
        return {name: text.in_language(language) for name, text in self.items()}

    def __getitem__(self, name: str) -> Text:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
