"""What no interface tells, so that a named person answers it: the questions, and what answers mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sync_setup.models import Organization, RecordedAnswer

# Older answers are shown as such: settings of a tenant change without telling anybody.
STALE_AFTER_DAYS = 30


@dataclass(frozen=True)
class Question:
    """One question to people.

    :param who: whose it is to answer, in words for a person.
    :param answers: value and words of each answer.
    :param good: answers with which a plan may go on.
    :param open: answers that say only that the question stays open.
    :param how: how to find out and how to put it right, in the imperative; one line a step.
    """

    key: str
    title: str
    who: str
    text: str
    answers: tuple[tuple[str, str], ...]
    good: tuple[str, ...]
    how: str
    source: str
    open: tuple[str, ...] = field(default=())

    def words(self, answer: str) -> str:
        """Give an answer as people chose it."""
        return dict(self.answers).get(answer, answer)

    @property
    def bad(self) -> tuple[str, ...]:
        """Answers that stand in the way of a plan."""
        return tuple(
            value for value, _ in self.answers if value not in self.good and value not in self.open
        )


EWS_ALLOW_LIST = Question(
    "ews-allow-list",
    "EWS is on for the tenant, and Dynamics is on its allow list",
    "An Exchange administrator",
    "Is EwsEnabled True, and does EwsAllowedAppIDs name the app of Dynamics?",
    (("yes", "Yes, both"), ("no", "No"), ("unknown", "I do not know")),
    ("yes",),
    # The order matters: EwsEnabled with an empty list blocks every app of the tenant.
    # GUESS: the app id to allow; Microsoft's page names none for Dynamics on-premises.
    "Sign in as an Exchange administrator: Connect-ExchangeOnline\n"
    "Read both states, which are two commands: Get-OrganizationConfig | Format-List "
    "EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList, and then "
    "Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsAllowedAppIDs\n"
    "Look into the tenant's EWS usage report for the app id under which Dynamics signs in.\n"
    "If it is not on the list, set the list to all ids you have read, and this one: "
    'Set-OrganizationConfig -EwsAllowedAppIDs "<ids read>,00000007-0000-0000-c000-000000000000"\n'
    "Read the list again: no id may be missing.\n"
    "Only now turn EWS on, if it is not: Set-OrganizationConfig -EwsEnabled $true\n"
    "Read both again. Exchange Online needs up to 24 hours for the list and about 1 hour for EwsEnabled.\n"
    "If EwsApplicationAccessPolicy is EnforceAllowList, keep CRM/* and ExchangeServicesClient/* in "
    "EwsAllowList.",
    "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/"
    "how-to-control-access-to-ews-in-exchange",
    ("unknown",),
)

EXCHANGE_SUPPORT_SWITCH = Question(
    "exchange-support-switch",
    "Exchange Support has turned access on for the tenant",
    "A Global Administrator",
    "Did Exchange Support confirm that this tenant may connect from on-premises?",
    (("yes", "Yes, confirmed"), ("no", "No"), ("asked", "Asked, not yet answered")),
    ("yes",),
    "Open a case with Exchange Support in the Microsoft 365 admin center, and name the tenant id.\n"
    "Ask that Dynamics 365 on-premises may connect to Exchange Online. Without it Exchange Online "
    "answers 401 to every token.\n"
    "Know that tenants which never connected are not accepted any more since 2025-10-01.",
    "https://learn.microsoft.com/dynamics365/customerengagement/on-premises/admin/"
    "connect-dynamics-365-on-premises-exchange-online",
    ("asked",),
)

OTHER_CONSUMERS = Question(
    "other-consumers",
    "Other consumers of the token issuer know the new certificate",
    "Whoever runs SharePoint and the other organizations",
    "Is the token issuer used by SharePoint or anything else, and does that have the new public key?",
    (
        ("none", "Nothing else uses it"),
        ("ready", "Others use it and have the new key"),
        ("no", "Others use it and do not have it"),
    ),
    ("none", "ready"),
    "Ask whoever runs SharePoint whether server-based integration with Dynamics is on: it signs with "
    "the same certificate.\n"
    "If it is, upload the new public key to the SharePoint app (online), or register it with the "
    "trusted token issuer (on-premises), before the cut-over.\n"
    "Tell the owners of the other organizations of this deployment: the cut-over is theirs too.",
    "https://learn.microsoft.com/dynamics365/customerengagement/on-premises/admin/"
    "on-prem-server-based-sharepoint-on-prem",
)

QUESTIONS: dict[str, Question] = {
    question.key: question
    for question in (EWS_ALLOW_LIST, EXCHANGE_SUPPORT_SWITCH, OTHER_CONSUMERS)
}


def newest(organization: Organization, question: str) -> RecordedAnswer | None:
    """Give the answer that counts, or None when nobody has answered."""
    answers = RecordedAnswer.objects.filter(organization=organization, question=question)
    return answers.select_related("person").order_by("-at", "-pk").first()


def age_days(answer: RecordedAnswer, now: datetime) -> int:
    """Give how many whole days ago it was recorded."""
    return max(0, (now - answer.at).days)
