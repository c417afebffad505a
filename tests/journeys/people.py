"""People in front of the portal: each with a browser of their own, signed in at the simulated Entra ID."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.waiting import wait_until

LONG_MS = 60_000
# The browser says so of every answer that is an error; here some are expected.
_EXPECTED = re.compile(r"Failed to load resource: .* (409|422)")


class Visitor:
    """One person's browser.

    :ivar complaints: what the browser complained of: scripts, styles, policies, answers that are errors.
    :ivar presses: words of the buttons that were pressed in the portal.
    """

    def __init__(self, browser: Browser, origin: str, *, script: bool = True) -> None:
        self.origin, self.script = origin, script
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 1440, "height": 900}, java_script_enabled=script
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(LONG_MS)
        self.complaints: list[str] = []
        self.presses: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        where = str(message.location.get("url", ""))
        is_ours = not where or where.startswith(self.origin)
        if is_ours and message.type in ("error", "warning") and not _EXPECTED.search(message.text):
            self.complaints.append(f"{message.text} {where}")

    def sign_in(self, name: str) -> None:
        """Sign in through the identity provider's own page."""
        self.page.goto(f"{self.origin}/")
        self.page.get_by_role("button", name="Sign in with your work account").click()
        self.page.get_by_role("button", name=name).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Overview")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.origin}{path}")

    def press(self, words: str) -> None:
        """Press the button or link of exactly these words."""
        self.presses.append(words)
        named = re.compile(rf"^\s*{re.escape(words)}\s*$")
        main = self.page.locator("main")
        button: Locator = main.get_by_role("button", name=named).or_(
            main.get_by_role("link", name=named)
        )
        button.first.click()

    def choose(self, words: str) -> None:
        """Choose the option of these words."""
        self.page.get_by_label(words, exact=True).check()

    def write(self, label: str, text: str) -> None:
        """Write into the field of this label."""
        self.page.get_by_label(label).first.fill(text)

    def bring(self, file: Path, password: str) -> None:
        """Choose a certificate file, give its password, and upload it."""
        self.page.get_by_label("Certificate with private key (.pfx or .p12)").set_input_files(file)
        self.page.get_by_label("Password of the file").fill(password)
        self.press("Upload and inspect")

    def sees(self, text: str) -> None:
        """Wait until the page says this; without scripts a page is looked at again, as people do."""
        found = self.page.get_by_text(text).locator("visible=true").first
        if self.script:
            expect(found).to_be_visible(timeout=LONG_MS)
            return

        def looked_again() -> bool:
            if found.is_visible():
                return True
            self.page.reload()
            return found.is_visible()

        wait_until(looked_again, seconds=LONG_MS / 1000, every=0.5)

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.origin)

    def close(self) -> None:
        self.context.close()
