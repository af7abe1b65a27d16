"""Cards that are saved at the emulator, charged while the customer is away, and let go."""


def test_a_card_is_saved_charged_and_let_go(merchant):
    customer = merchant.post("customers", metadata={"shop": "7"})["id"]
    setup = merchant.post(
        "setup_intents", customer=customer, payment_method="pm_card_visa", confirm=True
    )
    assert setup["status"] == "succeeded"
    method = setup["payment_method"]
    (saved,) = merchant.get(f"customers/{customer}/payment_methods")["data"]
    assert (saved["id"], saved["customer"]) == (method, customer)
    paid = merchant.pays(500, method, customer=customer, off_session=True)
    assert paid["status"] == "requires_capture"
    assert merchant.post(f"payment_methods/{method}/detach")["customer"] is None
    merchant.pays(500, method, customer=customer, off_session=True)
    assert merchant.status == 400


def saved_with_a_check(merchant, emulator, card):
    """A customer, and the card that was saved for them once its bank had asked."""
    customer = merchant.post("customers")["id"]
    setup = merchant.post(
        "setup_intents",
        customer=customer,
        payment_method=card,
        confirm=True,
        return_url="https://shop.example/saved",
    )
    assert setup["status"] == "requires_action"
    assert emulator.consumer.approve(setup["id"]).startswith("https://shop.example/")
    return customer, merchant.get(f"setup_intents/{setup['id']}")["payment_method"]


def test_a_check_at_the_saving_spares_one_at_each_charge(merchant, emulator):
    customer, method = saved_with_a_check(
        merchant, emulator, "pm_card_authenticationRequiredOnSetup"
    )
    paid = merchant.pays(500, method, customer=customer, off_session=True)
    assert paid["status"] == "requires_capture"


def test_some_cards_ask_at_each_charge_though_they_were_saved(merchant, emulator):
    customer, method = saved_with_a_check(
        merchant, emulator, "pm_card_authenticationRequired"
    )
    declined = merchant.pays(500, method, customer=customer, off_session=True)
    assert declined["error"]["code"] == "authentication_required"
    asked = merchant.pays(500, method, customer=customer)
    assert asked["status"] == "requires_action"


def test_a_payment_may_save_its_card(merchant):
    customer = merchant.post("customers")["id"]
    saves = {"customer": customer, "setup_future_usage": "off_session"}
    method = merchant.pays(500, "pm_card_visa", **saves)["payment_method"]
    assert merchant.get(f"payment_methods/{method}")["customer"] == customer


def test_a_saved_card_is_its_customers_alone(merchant):
    customer = merchant.post("customers")["id"]
    method = merchant.post("payment_methods/pm_card_visa/attach", customer=customer)
    error = merchant.pays(500, method["id"])["error"]
    assert (merchant.status, error["param"]) == (400, "payment_method")


def test_a_card_that_is_declined_cannot_be_saved(merchant):
    customer = merchant.post("customers")["id"]
    path = "payment_methods/pm_card_visa_chargeDeclined/attach"
    error = merchant.post(path, customer=customer)["error"]
    assert (merchant.status, error["code"]) == (402, "card_declined")
    assert merchant.get(f"customers/{customer}/payment_methods")["data"] == []


def test_a_card_may_be_saved_and_declined_later(merchant):
    customer = merchant.post("customers")["id"]
    setup = merchant.post(
        "setup_intents",
        customer=customer,
        payment_method="pm_card_chargeCustomerFail",
        confirm=True,
    )
    assert setup["status"] == "succeeded"
    method = setup["payment_method"]
    error = merchant.pays(500, method, customer=customer, off_session=True)["error"]
    assert (merchant.status, error["code"]) == (402, "card_declined")
    (saved,) = merchant.get(f"customers/{customer}/payment_methods")["data"]
    assert saved["id"] == method


def test_metadata_are_merged_and_an_empty_text_deletes(merchant):
    paid = merchant.pays(metadata={"order": "7", "note": "x"})
    path = f"payment_intents/{paid['id']}"
    changed = merchant.post(path, metadata={"note": "", "shop": "1"})
    assert changed["metadata"] == {"order": "7", "shop": "1"}
    assert merchant.pays(metadata={"k" * 41: "v"})["error"]["param"] == "metadata"
