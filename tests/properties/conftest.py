"""Nothing but what every test here needs to know of this machine."""
