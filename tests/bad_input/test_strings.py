"""Every text that comes in is carried byte by byte, or refused before it leaves a trace."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kessai import Command, Engine, MemoryStore, SQLiteStore
from kessai.errors import InvalidCommand, InvalidInput, UnknownTransaction
from kessai.machine import Begun, read_record

HUGE = "x" * 10_000_000
SQL = [
    "'; DROP TABLE kessai_states; --",
    '" OR 1=1 --',
    "order'--",
    "a%_\\b",
    "?1 :key $key @key",
    "x') ON CONFLICT DO NOTHING; DELETE FROM kessai_events; --",
    '`id`[id]"id"',
]
CARRIED_IDS = [
    *SQL,
    "注文-1 😀",
    "e\u0301 is not é",
    "\ufeffx\u200b",
    "\u2028\u202e\uffff",
    "{transaction} %s {0}",
    "<b>&amp;</b>",
    "x" * 255,
]
REFUSED_IDS = {
    "nothing": "",
    "NUL": "order\0",
    "a line feed": "planted\nTRACEBACK",
    "an escape": "planted\x1b[2J",
    "a delete": "planted\x7f",
    "a C1 control": "planted\x9b",
    "half a pair": "planted\ud83d",
    "the other half": "planted\ude00",
    "256 characters": "planted" + "x" * 249,
    "10 MB": HUGE,
    "bytes": b"planted",
    "a number": 17,
    "a list": ["planted"],
}
REFUSED_TEXTS = {
    "NUL": "planted\0",
    "half a pair": "planted\ud83d",
    "10 MB": HUGE,
    "a number": 17,
    "None": None,
    "bytes": b"planted",
    "a list": ["planted"],
    "a mapping": {"planted": "x"},
    "deeper": {"unit": {"planted": {}}, "value": 1},
    "a frequency's huge unit": {"unit": HUGE, "value": 1},
    "a frequency's unit with NUL": {"unit": "planted\0", "value": 1},
}
NAMES = {
    "nothing": "",
    "SQL": "capture'; DROP TABLE kessai_events; --",
    "NUL": "capture\0",
    "half a pair": "capture\ud83d",
    "a line feed": "capture\n",
    "capitals": "Planted",
    "10 MB": HUGE,
    "a number": 17,
}
GOOD = {"name": "authorize", "transaction": "order", "lifecycle": "one_time"}


def ask(shop, **fields):
    fields = {**GOOD, "key": "k", "amount": 1000, **fields}
    return shop.do(fields.pop("name"), fields.pop("transaction"), **fields)


def refused(shop, **fields):
    """The refusal: clear, short, without the value; and nothing came of it."""
    before = shop.traces()
    with pytest.raises(InvalidCommand) as refusal:
        ask(shop, **fields)
    shown = repr(refusal.value)
    assert len(shown) < 250
    assert "planted" not in shown.lower()
    assert "xxx" not in shown
    assert refusal.value.__context__ is None
    assert shop.traces() == before
    return str(refusal.value)


@pytest.mark.parametrize("text", CARRIED_IDS)
def test_an_id_of_any_characters_is_carried_as_it_is(shop, text):
    answer = ask(shop, transaction=text, key=text)  # denied by the lifecycle, and kept

    assert answer.denial.codes == ("transaction_id_invalid",)
    assert answer.key == answer.transaction.id == text
    assert [t.id for t in shop.store.transactions()] == [text]
    ((name, (record,)),) = shop.store.trails()
    event = read_record(record, "").event
    assert (name, record.transaction, event.key) == (text, text, text)
    assert shop.store.load(text, text, text).recorded.key == text
    assert ask(shop, transaction=text, key=text).is_recorded
    assert shop.wire.sent == []


@pytest.mark.parametrize("text", CARRIED_IDS)
def test_an_agreement_of_any_characters_is_looked_for_and_named(shop, text):
    answer = shop.do("reauthorize", "charge", agreement=text, amount=1)

    assert "agreement_unknown" in answer.denial.codes
    values = [reason.values.get("agreement") for reason in answer.denial.reasons]
    assert text in values
    again = shop.do("reauthorize", "charge", agreement=text, amount=1, key="key-1")
    assert again.denial.reasons == answer.denial.reasons
    for language in ("en", "ja"):
        assert any(text in said for said in again.denial.sentences(language))


@pytest.mark.parametrize("text", REFUSED_IDS.values(), ids=REFUSED_IDS)
def test_what_can_be_no_id_is_refused(shop, text):
    for field in ("transaction", "key", "agreement"):
        what = refused(shop, **{field: text})
        assert what.startswith(f"{field}: must be a text of 1 to 255 characters")


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_what_can_be_no_name_is_refused(shop, text):
    assert refused(shop, lifecycle=text).startswith("lifecycle: must be a name such as")
    assert refused(shop, name=text).startswith("command: must be a name such as")
    assert refused(shop, parameters={text: "x"}).startswith("parameters: must be named")


@pytest.mark.parametrize("name", ["planted", "drop_table", "x" * 64])
def test_a_name_that_no_lifecycle_has_is_refused_by_name(shop, name):
    before = shop.traces()
    with pytest.raises(InvalidCommand, match="is not known; known are"):
        ask(shop, name=name)
    with pytest.raises(InvalidCommand, match="is not known; known are"):
        ask(shop, lifecycle=name)
    assert shop.traces() == before
    answer = ask(shop, parameters={name: "x"})
    assert answer.denial.codes == ("parameter_not_taken",)
    assert shop.wire.sent == []


def declared(shop):
    """Every parameter that a shipped lifecycle declares."""
    return {
        name: parameter
        for machine in shop.engine.machines
        for name, parameter in machine.lifecycle.parameters.items()
    }


@pytest.mark.parametrize("text", REFUSED_TEXTS.values(), ids=REFUSED_TEXTS)
def test_what_no_parameter_can_hold_is_refused_for_each(shop, text):
    for name in declared(shop):
        assert refused(shop, parameters={name: text}).startswith(f"{name}: ")


def test_a_thousand_parameters_are_refused_at_once(shop):
    names = (f"{a}{b}{c}" for a in "abcdefghij" for b in "klmnopqrst" for c in "uvwxyz")
    what = refused(shop, parameters=dict.fromkeys(names, "planted"))
    assert what == "parameters: must be at most 64"


CONTROLS = "".join(map(chr, range(1, 32))) + "\x7f\x9f"
TEXTS = [*SQL, CONTROLS, "山田様へ 😀", "\ufeff\u2028\u202e\uffff", "", "+%2B&=#\\\"'"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_note_of_any_characters_reaches_the_gateway_as_it_is(shop, text):
    given = {"note": text, "address_restrictions": text}
    answer = shop.apply(parameters=given)

    assert answer.status == "pending"
    record = shop.store.records("order")[0]
    event = read_record(record, "").event
    assert isinstance(event, Begun)
    assert event.operation.parameters == given
    stored = shop.engine.transaction("order").operations["order.1"]
    assert stored.parameters == event.operation.parameters
    assert shop.gateway.emulator.books["order"].note == text


@pytest.mark.parametrize(("most", "codes"), [(255, ()), (256, ("parameter_invalid",))])
def test_a_note_beyond_the_gateways_limit_is_denied(shop, most, codes):
    answer = shop.apply(parameters={"note": "語" * most})
    assert (answer.denial.codes if answer.denial else ()) == codes
    assert len(shop.wire.sent) == (not codes)


@pytest.mark.parametrize("text", ["", "no\0", "\ud800", "x\n", HUGE])
def test_who_asks_about_no_id_at_all_hears_that_there_is_none(shop, text):
    engine = shop.engine
    asks = (
        engine.transaction,
        engine.can,
        engine.recover_transaction,
        engine.sweep,
        lambda name: engine.resolve(
            name, "order.1", "succeeded", evidence="seen", actor="sato"
        ),
        lambda name: engine.close_discrepancy(name, 1, evidence="seen", actor="sato"),
    )
    before = shop.traces()
    for ask_about in asks:
        with pytest.raises(UnknownTransaction) as refusal:
            ask_about(text)
        assert len(str(refusal.value)) < 250
    assert shop.traces() == before


@pytest.mark.parametrize("text", ["", "no\0", "\ud800", "two\nlines", HUGE])
@pytest.mark.parametrize("field", ["evidence", "actor"])
def test_an_operators_words_are_refused_with_an_open_operation_left_open(
    shop, field, text
):
    shop.apply()
    before = shop.traces()
    words = {"evidence": "seen in the portal", "actor": "sato", field: text}
    with pytest.raises(InvalidInput, match=f"^{field}: must be") as refusal:
        shop.engine.resolve("order", "order.1", "succeeded", **words)
    assert len(str(refusal.value)) < 250
    assert shop.traces() == before


@pytest.mark.parametrize("text", ["\ud800", "planted\udcff", "x" * 100_000])
def test_a_shell_can_ask_about_any_bytes(kessai, text):
    kessai("tx", "do", "o", "capture", "--key", "k", "--db", "a.db")
    for command in (("show", text), ("can", text), ("do", text, "capture")):
        result = kessai("tx", *command, "--db", "a.db")
        assert result.code == 2
        assert "Traceback" not in result.err
        assert len(result.err) < 500


ANY = st.text(st.characters(), max_size=40) | st.sampled_from([*CARRIED_IDS, *SQL])


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """The same commands under both stores, with nobody to send anything to."""
    path = tmp_path_factory.mktemp("strings") / "any.db"
    stores = (MemoryStore(), SQLiteStore(path))
    yield [Engine(adapters=[_Nobody()], store=s, transport=_Nobody()) for s in stores]
    for store in stores:
        store.close()


class _Nobody:
    name = "nobody"

    def __getattr__(self, name):
        raise AttributeError(name)  # an engine looks which of two forms it has


def made(name, transaction, **fields):
    """The command, or how it was refused."""
    try:
        return Command(name, transaction, **fields), ""
    except InvalidCommand as refusal:
        return None, str(refusal)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(transaction=ANY, key=ANY, agreement=ANY, note=ANY)
@example(transaction="\ud800", key="k", agreement="a", note="n")
def test_whatever_the_texts_are_both_stores_carry_them_or_none_is_asked(
    engines, transaction, key, agreement, note
):
    fields = {"key": key, "agreement": agreement, "parameters": {"note": note}}
    command, shown = made("reauthorize", transaction, amount=1, **fields)
    if command is None:
        texts = {transaction, key, agreement, note}
        assert not any(len(text) > 8 and text in shown for text in texts)
        return
    answers = [engine.execute(command) for engine in engines]
    kept = [engine.store.load(key, transaction, agreement) for engine in engines]
    trails = [engine.store.records(transaction) for engine in engines]
    assert answers[0].denial == answers[1].denial
    assert kept[0].recorded == kept[1].recorded
    assert kept[0].recorded.key == key
    assert kept[0].transaction.id == kept[1].transaction.id == transaction
    assert trails[0][-1].transaction == trails[1][-1].transaction == transaction
