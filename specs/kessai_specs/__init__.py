"""The shipped lifecycles, a file each.

Of Amazon Pay through VeriTrans4G: `one_time`, `recurring`, `charge`. Of cards: `card`,
`saved_card`, `saved_card_charge`. The files are package data, read by `kessai.spec`;
this package holds no code. What several lifecycles share stands once, under `shared/`,
and is included.
"""
