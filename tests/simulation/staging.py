"""Stages, and playing many worlds on several cores."""

from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial

import attrs
from invented.played import LIFECYCLE, PlayedKumo

from kessai import MemoryStore, load_shipped
from kessai.machine import Machines
from kessai.simulator import ALL, COMMANDS_EACH, Figures, Stage, play_world
from kessai_adapters.amazon_pay.local import LocalAmazonPay
from kessai_adapters.payjp.local import LocalPayJp
from kessai_adapters.stripe.local import LocalStripe
from kessai_adapters.veritrans4g.local import LocalGateway


def machines():
    """Those of the lifecycles that the gateway carries payments through."""
    return Machines([load_shipped(name) for name in LocalGateway.lifecycles])


def gateway(clock):
    return LocalGateway(clock=clock, approve="ask").played()


@cache
def memory_stage():
    return Stage(machines(), gateway, MemoryStore)


NORTH, SOUTH = "https://north.example", "https://south.example"


def two_accounts(clock):
    """Test and live payments of one merchant: one key, and one store for both."""
    played = {}
    for url in (NORTH, SOUTH):
        local = LocalGateway(clock=clock, approve="ask")
        account = f"emulator/{url[8:13]}"
        local.adapter = attrs.evolve(local.adapter, host=url, account=account)
        played[url] = local.played()
    return played


@cache
def accounts_stage():
    return Stage(machines(), two_accounts, MemoryStore)


NOT_AT_PAYJP = {
    *("several_captures", "save_payment_method"),
    *("payment_method", "return_url", "reason"),  # invented values mean nothing there
}


def asked_at_payjp(lifecycle):
    """`lifecycle` in yen, without what this gateway or the simulator has not."""
    in_yen = lifecycle.in_currency("JPY")
    commands = {
        name: attrs.evolve(
            spec, optional=tuple(n for n in spec.optional if n not in NOT_AT_PAYJP)
        )
        for name, spec in in_yen.commands.items()
    }
    return attrs.evolve(in_yen, commands=commands)


@cache
def payjp_stage():
    def gateway(clock):
        return LocalPayJp(clock=clock, approve="ask").played()

    taken = [asked_at_payjp(load_shipped(name)) for name in LocalPayJp.lifecycles]
    return Stage(Machines(taken), gateway, MemoryStore)


@cache
def invented_stage():
    return Stage(Machines([LIFECYCLE]), PlayedKumo, MemoryStore)


@cache
def stripe_stage():
    def gateway(clock):
        return LocalStripe(clock=clock, approve="ask").played()

    machines = Machines([load_shipped(name) for name in LocalStripe.lifecycles])
    return Stage(machines, gateway, MemoryStore)


@cache
def amazon_pay_stage():
    machines = Machines([load_shipped(name) for name in LocalAmazonPay.lifecycles])
    return Stage(
        machines, lambda clock: LocalAmazonPay(clock=clock).played(), MemoryStore
    )


STAGES = {
    "amazon_pay": amazon_pay_stage,
    "emulator": memory_stage,
    "invented": invented_stage,
    "accounts": accounts_stage,
    "payjp": payjp_stage,
    "stripe": stripe_stage,
}


def played(gateway, seeds):
    """The figures of the worlds of `seeds`, and what was found in any of them."""
    total, findings = Figures(), []
    for seed in seeds:
        figures = play_world(STAGES[gateway](), seed, COMMANDS_EACH, ALL)
        if figures.finding is not None:
            findings.append(figures.finding)
        total.add(figures)
    return total, findings


def played_on_all_cores(seeds, processes, gateway="emulator", each=25):
    """As `played`, a few worlds at a time in each of several processes."""
    parts = [seeds[place : place + each] for place in range(0, len(seeds), each)]
    if processes == 1:
        yield from map(partial(played, gateway), parts)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(partial(played, gateway), parts)
