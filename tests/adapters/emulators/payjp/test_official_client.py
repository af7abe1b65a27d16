"""PAY.JP's own client, `payjpv2`, talks to the emulator, and reads every field of it."""

import contextlib
from datetime import datetime
from enum import Enum

import payjpv2
import pytest
from payjpv2.exceptions import ApiException, ConflictException
from payjpv2.models import (
    CustomerCreateRequest,
    MetadataValue,
    PaymentFlowCancelRequest,
    PaymentFlowCaptureRequest,
    PaymentFlowConfirmRequest,
    PaymentFlowCreateRequest,
    PaymentMethodCardBillingDetailsRequest,
    PaymentMethodCardCreateRequest,
    PaymentMethodCreateCardDetailsRequest,
    PaymentMethodCreateRequest,
    PaymentRefundCreateRequest,
    SetupFlowCreateRequest,
)
from pydantic import BaseModel

from kessai_adapters.emulators import serve
from kessai_adapters.emulators.payjp import DEFAULT_KEY


def plainly(value):
    """What a model of the client has, as JSON has it."""
    if hasattr(value, "actual_instance"):
        return plainly(value.actual_instance)
    if isinstance(value, BaseModel):
        names = type(value).model_fields
        return {name: plainly(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {name: plainly(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plainly(one) for one in value]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.value if isinstance(value, Enum) else value


@pytest.fixture
def client(emulator):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(emulator))
        settings = payjpv2.Configuration(
            host=server.url, access_token=DEFAULT_KEY, retries=0
        )
        yield stack.enter_context(payjpv2.ApiClient(settings))


@pytest.fixture
def flows(client):
    return payjpv2.PaymentFlowsApi(client)


@pytest.fixture
def paid(client):
    """A customer with a card, as the client asks for both."""
    customers = payjpv2.CustomersApi(client)
    customer = customers.create_customer(CustomerCreateRequest(email="a@example.com"))
    card = PaymentMethodCardCreateRequest(
        type="card",
        customer_id=customer.id,
        billing_details=PaymentMethodCardBillingDetailsRequest(email="a@example.com"),
        card=PaymentMethodCreateCardDetailsRequest(
            number="4242424242424242", exp_month=12, exp_year=2030, cvc="123"
        ),
    )
    methods = payjpv2.PaymentMethodsApi(client)
    method = methods.create_payment_method(PaymentMethodCreateRequest(card))
    found = plainly(method)
    assert found["customer_id"] == customer.id
    return {"customer_id": customer.id, "payment_method_id": found["id"]}


def held(flows, paid, key=None):
    asked = PaymentFlowCreateRequest(
        amount=500,
        currency="jpy",
        capture_method="manual",
        confirm=True,
        metadata={"order": MetadataValue("order-7")},
        **paid,
    )
    return flows.create_payment_flow(asked, idempotency_key=key)


def test_a_payment_is_made_captured_and_refunded(client, flows, paid, shop):
    flow = held(flows, paid)
    assert plainly(flow) == shop.get(f"payment_flows/{flow.id}")
    capture = PaymentFlowCaptureRequest(amount_to_capture=300)
    captured = flows.capture_payment_flow(flow.id, capture)
    assert plainly(captured) == shop.get(f"payment_flows/{flow.id}")
    refunds = payjpv2.PaymentRefundsApi(client)
    asked = PaymentRefundCreateRequest(payment_flow_id=flow.id, amount=100)
    refund = refunds.create_payment_refund(asked)
    assert plainly(refund) == shop.get(f"payment_refunds/{refund.id}")
    listed = flows.get_payment_flow_refunds(flow.id)
    assert plainly(listed) == shop.get(f"payment_flows/{flow.id}/refunds")


def test_a_flow_is_confirmed_and_canceled(flows, paid, shop):
    customer = paid["customer_id"]
    asked = PaymentFlowCreateRequest(
        amount=500, currency="jpy", customer_id=customer, capture_method="manual"
    )
    flow = flows.create_payment_flow(asked)
    method = PaymentFlowConfirmRequest(payment_method_id=paid["payment_method_id"])
    assert flows.confirm_payment_flow(flow.id, method).status == "requires_capture"
    reason = PaymentFlowCancelRequest(cancellation_reason="requested_by_customer")
    canceled = flows.cancel_payment_flow(flow.id, reason)
    assert plainly(canceled) == shop.get(f"payment_flows/{flow.id}")
    assert plainly(flows.get_all_payment_flows()) == shop.get("payment_flows")


def test_events_setup_flows_and_customers_are_read_whole(client, flows, paid, shop):
    flow = held(flows, paid)
    events = payjpv2.EventsApi(client).get_all_events(resource_id=flow.id)
    assert plainly(events) == shop.get(f"events?resource_id={flow.id}")
    customer = paid["customer_id"]
    setups = payjpv2.SetupFlowsApi(client)
    made = setups.create_setup_flow(SetupFlowCreateRequest(customer_id=customer))
    assert plainly(made) == shop.get(f"setup_flows/{made.id}")
    found = payjpv2.CustomersApi(client).get_customer(customer)
    assert plainly(found) == shop.get(f"customers/{customer}")


def test_a_problem_is_an_error_of_the_client(flows, paid):
    flow = held(flows, paid)
    capture = PaymentFlowCaptureRequest()
    flows.capture_payment_flow(flow.id, capture)
    with pytest.raises(ApiException) as caught:
        flows.capture_payment_flow(flow.id, capture)
    problem = caught.value.data
    assert (problem.status, problem.title) == (400, "Invalid Status")


def test_a_key_of_another_request_is_a_conflict(flows, paid):
    first = held(flows, paid, key="k-1")
    assert held(flows, paid, key="k-1").id == first.id
    other = PaymentFlowCreateRequest(amount=501, currency="jpy")
    with pytest.raises(ConflictException):
        flows.create_payment_flow(other, idempotency_key="k-1")
