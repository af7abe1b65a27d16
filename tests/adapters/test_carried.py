"""A command of another gateway's lifecycle is refused: nothing of it is silently dropped."""

import pytest

from kessai import Command, Engine, MemoryStore
from kessai.errors import InvalidInput
from kessai.gateway import Call
from kessai_adapters.amazon_pay.local import LocalAmazonPay
from kessai_adapters.payjp.local import LocalPayJp
from kessai_adapters.stripe.local import LocalStripe
from kessai_adapters.veritrans4g.local import LocalGateway

IDS = ("payment_intent", "payment_flow", "charge", "charge_permission")


@pytest.fixture(params=[LocalAmazonPay, LocalPayJp, LocalStripe, LocalGateway])
def adapter(request):
    local = request.param()
    yield local.adapter
    local.close()


def call(command, **parameters):
    return Call(
        command=command,
        transaction="order-7",
        lifecycle="copied",
        operation="order-7.1",
        amount=1000,
        currency="JPY",
        parameters=parameters,
        references=dict.fromkeys(IDS, "id-1"),
        seed="0" * 64,
    )


def first_request(adapter, asked):
    if hasattr(adapter, "exchange"):
        return next(adapter.exchange(asked))
    return adapter.request(asked)


def refusal(adapter, asked):
    """What the adapter says before anything is sent."""
    with pytest.raises(InvalidInput) as refused:
        first_request(adapter, asked)
    return str(refused.value)


@pytest.mark.parametrize("command", ["authorize", "capture", "cancel", "refund"])
def test_a_parameter_of_another_gateway_is_refused_by_its_name(adapter, command):
    asked = call(command, of_elsewhere="x")
    said = refusal(adapter, asked)
    assert said.startswith(f"{command}: ")
    assert said.endswith(" cannot carry the parameters: of_elsewhere")


def test_what_is_no_name_is_not_shown(adapter):
    said = refusal(adapter, call("capture", **{"山田 太郎": "x", "of_elsewhere": "y"}))
    assert said.endswith(" cannot carry the parameters: of_elsewhere, others")


def test_a_command_of_another_gateway_is_refused(adapter):
    said = refusal(adapter, call("top_up"))
    assert said.startswith("top_up: ")
    assert said.endswith(" has no such command")


@pytest.mark.parametrize(
    ("kind", "lifecycle"),
    [
        *((LocalAmazonPay, name) for name in ("card", "one_time")),
        *((LocalPayJp, name) for name in ("amazon_pay", "one_time")),
        *((LocalStripe, name) for name in ("amazon_pay", "one_time")),
        *((LocalGateway, name) for name in ("amazon_pay", "card")),
    ],
)
def test_a_payment_of_another_gateways_kind_is_refused_before_it_is_begun(
    kind, lifecycle
):
    local = kind()
    opens = Command(
        *("authorize", "order-7"),
        key="1",
        lifecycle=lifecycle,
        amount=1000,
        currency="JPY",
    )
    with Engine(
        adapters=[local.adapter], store=MemoryStore(), transport=local.transport
    ) as engine:
        with pytest.raises(InvalidInput, match="cannot carry what its lifecycle"):
            engine.execute(opens)
        assert not engine.search().transactions
    local.close()
