"""The living demo: simulated visitors and colleagues, a believable past, one-click sign-in, a shop to chat from.

Nothing here is reachable from `hub serve`.

    config.py   the demo's settings: its company, its own data folder
    pages.py    what a browser fetches under /demo
    phone.py    the telephone company, and phone_pages.py the page to call from
    text_pages.py  the page to text from
    letters.py  writing to the company, and reading its answers, as a customer: /demo/mail
    world.py    who comes and who works, while the hub runs
    past.py     the customers and conversations there were before
"""

from hub.demo.config import demo_settings
from hub.demo.phone import at_our_carrier
from hub.demo.world import Demo, setup, start_demo

__all__ = ["Demo", "at_our_carrier", "demo_settings", "setup", "start_demo"]
