"""The browser's return: a hint, once its proof holds."""

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai.errors import RedirectRefused
from kessai_adapters.veritrans4g import Credentials, check_redirect

NAMES = ("orderId", "mstatus", "vResultCode")
VALUES = {"orderId": "order-1001", "mstatus": "success", "vResultCode": "A001"}


def proven(
    values: dict[str, str], names: tuple[str, ...], secret: str
) -> dict[str, str]:
    text = "A100000000000000000000cc" + "".join(values[n] for n in names) + secret
    listed = base64.b64encode(",".join(names).encode()).decode()
    proof = hashlib.sha256(text.encode()).hexdigest()
    return {**values, "authParams": listed, "vAuthInfo": proof}


def test_parameters_that_the_gateway_vouches_for_pass(
    credentials: Credentials, secret: str
) -> None:
    query = proven(VALUES, NAMES, secret)
    check_redirect(credentials, {**query, "lang": "ja"})


def test_a_name_listed_twice_counts_twice(
    credentials: Credentials, secret: str
) -> None:
    check_redirect(credentials, proven(VALUES, (*NAMES, "orderId"), secret))


@pytest.mark.parametrize(
    "variant",
    [{"=": "*"}, {"/": "-", "+": "_"}, {"+": " "}],
    ids=["padding", "url", "space"],
)
def test_base64_is_read_in_every_variant_that_is_sent(
    variant: dict[str, str], credentials: Credentials, secret: str
) -> None:
    names = ("ab?", "b>>", "cd~")
    query = proven(dict.fromkeys(names, "1"), names, secret)
    assert {"+", "/", "="} <= set(query["authParams"])
    for usual, unusual in variant.items():
        query["authParams"] = query["authParams"].replace(usual, unusual)
    check_redirect(credentials, query)


@pytest.mark.parametrize(
    "changes",
    [
        {"mstatus": "failure"},
        {"vAuthInfo": "0" * 64},
        {"vAuthInfo": ""},
        {"vAuthInfo": "é" * 64},
        {"authParams": ""},
        {"authParams": "!!!!"},
        {"authParams": "b3JkZXJJZA"},
        {"authParams": base64.b64encode("注文".encode()).decode()},
        {"authParams": base64.b64encode(b"mstatus,orderId,vResultCode").decode()},
        {"authParams": base64.b64encode(b"orderId,absent").decode()},
        {"authParams": "QUFB" * 2000},
    ],
)
def test_a_return_that_was_tampered_with_is_refused(
    changes: dict[str, str], credentials: Credentials, secret: str
) -> None:
    with pytest.raises(RedirectRefused) as refusal:
        check_redirect(credentials, proven(VALUES, NAMES, secret) | changes)
    assert secret not in str(refusal.value)
    assert "order-1001" not in str(refusal.value)


@pytest.mark.parametrize("missing", ["orderId", "authParams", "vAuthInfo"])
def test_a_missing_parameter_is_a_failed_check(
    missing: str, credentials: Credentials, secret: str
) -> None:
    query = proven(VALUES, NAMES, secret)
    del query[missing]
    with pytest.raises(RedirectRefused):
        check_redirect(credentials, query)


@settings(deadline=None)
@given(query=st.dictionaries(st.sampled_from(["vAuthInfo", "authParams"]), st.text()))
def test_nothing_but_a_refusal_comes_of_a_made_up_return(
    query: dict[str, str], credentials: Credentials
) -> None:
    with pytest.raises(RedirectRefused):
        check_redirect(credentials, query)
