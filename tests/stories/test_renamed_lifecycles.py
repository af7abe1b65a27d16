"""What kind of payment it is shows in a lifecycle's tracks, never in its name."""

from pathlib import Path

import pytest

import kessai_specs
from kessai import load_file

MONTHLY = {"unit": "Month", "value": 1}
SPECS = Path(kessai_specs.__file__).parent


@pytest.fixture
def renamed(shop, tmp_path):
    """The shop with copies of the shipped files under other names."""

    def copied(name, new):
        text = (
            (SPECS / f"{name}.toml").read_text("utf-8").replace('"recurring"', '"club"')
        )
        path = tmp_path / f"{new}.toml"
        path.write_text(text.replace(f'"{name}"', f'"{new}"'), "utf-8")
        return load_file(path)

    shop.engine = type(shop.engine)(
        adapters=[shop.adapter],
        store=shop.store,
        transport=shop.engine._transport,
        lifecycles=[copied("recurring", "club"), copied("charge", "monthly_fee")],
        clock=shop.clock,
    )
    return shop


def test_an_agreement_and_its_charges_work_under_any_name(renamed):
    given = {"frequency": MONTHLY, "consent_only": True}
    renamed.do("authorize", "plan", lifecycle="club", amount=1000, parameters=given)
    renamed.approve("plan")
    assert renamed.transaction("plan").states["consent"] == "consented"
    assert (
        renamed.do("reauthorize", "fee", agreement="plan", amount=500).status
        == "succeeded"
    )
    assert renamed.do("capture", "fee").status == "succeeded"
    changed = {"frequency": {"unit": "Year", "value": 1}}
    renamed.do("update_consent", "plan", amount=2000, parameters=changed)
    assert renamed.do("terminate", "plan").status == "succeeded"
    assert renamed.transaction("fee").lifecycle == "monthly_fee"
    renamed.books_agree()
