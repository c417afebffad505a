"""The main job in a browser: two people, from the certificate file to the history."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.journeys.conftest import Meet
from tests.journeys.people import LONG_MS, Visitor
from tests.journeys.portal import Portal

ANSWERS = ("Yes, both", "Yes, confirmed", "Nothing else uses it")
THUMBPRINT = "#thumbprint"


def sample(portal: Portal, title: str) -> tuple[Path, str]:
    """Give path and password of a sample file by the beginning of its title."""
    found = next(row for row in portal.addresses["samples"] if row["title"].startswith(title))
    return Path(found["path"]), found["password"]


def begin(mira: Visitor) -> None:
    """From the overview to the first step of a draft."""
    mira.press("New setup")
    mira.page.get_by_label("Organization").select_option("contososales")
    mira.press("Start the draft")


def check(mira: Visitor, portal: Portal) -> None:
    """Say what only people know, and let the checks run until they have made the plan."""
    mira.write("Pilot mailbox", portal.addresses["pilots"]["ContosoSales"])
    for answer in ANSWERS:
        mira.choose(answer)
    mira.press("Run the checks")
    mira.sees("What will change")


def delete_setup_app(browser: Browser, portal: Portal) -> None:
    """What the tenant's administrator does when the job asks for it, on the tenant's own page."""
    page = browser.new_page()
    page.goto(portal.addresses["administration"])
    client_id = portal.addresses["setup_app"]["client_id"]
    page.get_by_role("button", name=re.compile(f"Delete .*{client_id}")).click()
    expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    page.close()


def approve(jonas: Visitor, path: str, thumbprint: str) -> None:
    jonas.open("/approvals/")
    jonas.page.get_by_role("link", name=re.compile("Connect ContosoSales")).click()
    assert jonas.path == path
    jonas.write("Last characters of the thumbprint", thumbprint[-4:])
    jonas.press("Approve this plan")


def test_two_people_connect_an_organization(portal: Portal, meet: Meet, browser: Browser) -> None:
    mira, jonas = meet("Mira Patel"), meet("Jonas Weber")
    good, password = sample(portal, "Good")

    mira.open("/organizations/contososales/")
    mira.press("Look again")
    mira.sees("Next: connect ContosoSales")
    mira.press("New setup")
    mira.bring(*sample(portal, "Expired"))
    mira.sees("The certificate has expired.")
    mira.bring(good, "not the password")
    mira.sees("The file cannot be opened.")
    assert "not the password" not in mira.page.content()
    mira.bring(good, password)
    mira.sees("This certificate can be used")
    thumbprint = str(mira.page.locator(THUMBPRINT).get_attribute("data-raw"))
    assert password not in mira.page.content()
    mira.press("Go on to the preflight checks")
    check(mira, portal)
    expect(mira.page).to_have_url(re.compile("/plan/$"))
    mira.page.go_back()
    mira.page.go_forward()
    mira.page.reload()
    mira.write("Why is this needed?", "The certificate in use ends in 19 days.")
    mira.press("Send for approval")
    mira.sees("Jonas Weber can approve this.")
    review = mira.path

    jonas.open("/approvals/")
    jonas.page.get_by_role("link", name=re.compile("Connect ContosoSales")).click()
    jonas.write("Last characters of the thumbprint", "0000")
    jonas.press("Approve this plan")
    jonas.sees("These are not the last characters")
    approve(jonas, review, thumbprint)

    jonas.sees("Delete the setup app")
    mira.open("/organizations/contososales/")
    mira.sees("It will finish")
    delete_setup_app(browser, portal)
    jonas.sees("Done and read back")
    expect(jonas.page.locator("#job-steps .green")).to_have_count(13)
    expect(jonas.page.locator("#log-lines li").last).to_contain_text("read back")

    mira.open("/organizations/contososales/")
    mira.press("Look again")
    mira.sees("16 of 16 done")
    mira.page.get_by_role("link", name="History", exact=True).last.click()
    for words in ("approved exactly this plan", "sent the plan for approval", "done and verified"):
        mira.sees(words)
    assert mira.complaints == []
    assert jonas.complaints == []


def test_the_same_without_javascript(portal: Portal, meet: Meet, browser: Browser) -> None:
    mira, jonas = meet("Mira Patel", script=False), meet("Jonas Weber", script=False)

    begin(mira)
    mira.bring(*sample(portal, "Good"))
    mira.sees("This certificate can be used")
    thumbprint = str(mira.page.locator(THUMBPRINT).get_attribute("data-raw"))
    mira.press("Go on to the preflight checks")
    check(mira, portal)
    mira.write("Why is this needed?", "The certificate in use ends in 19 days.")
    mira.press("Send for approval")
    mira.sees("Jonas Weber can approve this.")
    approve(jonas, mira.path, thumbprint)
    jonas.sees("Delete the setup app")
    delete_setup_app(browser, portal)
    jonas.sees("Done and read back")
    jonas.press(f"History of {jonas.path.split('/')[2]}")
    jonas.sees("approved exactly this plan")

    # Hands-on work of the requester, beside file, password and answers.
    assert len(mira.presses) <= 6


def test_a_server_profile_is_changed_by_a_plan(portal: Portal, meet: Meet) -> None:
    mira, jonas = meet("Mira Patel"), meet("Jonas Weber")

    mira.open("/organizations/contososales/profiles/")
    mira.press("Look again")
    mira.sees("Exchange 2013 on-premises")
    mira.press("Exchange 2013 on-premises")
    mira.press("Change")
    mira.write("Incoming port", "4443")
    mira.press("Draft the plan")
    mira.press("Run the checks")
    mira.sees("Send for approval")
    mira.write("Why is this needed?", "The gateway listens on another port.")
    mira.press("Send for approval")
    mira.sees("Jonas Weber can approve this.")

    jonas.open(mira.path)
    jonas.sees("4443")
    jonas.press("Approve this plan")
    jonas.sees("Done and read back")

    mira.open("/organizations/contososales/profiles/")
    mira.press("Exchange 2013 on-premises")
    mira.sees("since this was read")
    mira.press("Look again")
    port = mira.page.locator("tr", has_text="Incoming port")
    expect(port).to_contain_text("4443", timeout=LONG_MS)
    assert mira.complaints == []
