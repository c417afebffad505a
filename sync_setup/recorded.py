"""What no interface tells, so that a named person answers it: the questions, and what answers mean."""

from __future__ import annotations

from dataclasses import dataclass

from sync_setup.models import Organization, RecordedAnswer


@dataclass(frozen=True)
class Question:
    """One question to people.

    :param who: whose it is to answer, in words for a person.
    :param good: answers with which a plan may go on.
    """

    key: str
    title: str
    who: str
    text: str
    answers: tuple[tuple[str, str], ...]
    good: tuple[str, ...]
    how: str
    source: str


QUESTIONS: dict[str, Question] = {
    question.key: question
    for question in (
        Question(
            "ews-allow-list",
            "EWS is allowed for Dynamics",
            "An Exchange administrator",
            "Is EWS enabled for the tenant, and is Dynamics on its allow list?",
            (("yes", "Yes, both"), ("no", "No"), ("unknown", "I do not know")),
            ("yes",),
            "In Exchange Online PowerShell read both; they are two commands:\n"
            "Get-OrganizationConfig | Format-List EwsEnabled,EwsApplicationAccessPolicy\n"
            "Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsAllowedAppIDs\n"
            "Since October 2026 EwsEnabled must be True and the list must not be empty.",
            "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
            "deprecation-of-ews-exchange-online",
        ),
        Question(
            "exchange-support-switch",
            "Exchange Support has turned access on for the tenant",
            "A Global Administrator",
            "Did Exchange Support confirm that this tenant may connect from on-premises?",
            (("yes", "Yes, confirmed"), ("no", "No"), ("asked", "Asked, not yet answered")),
            ("yes",),
            "Open a case with Exchange Support and name the tenant id. Without their switch Exchange "
            "Online answers 401 to every token. New tenants are no longer accepted since 2025-10-01.",
            "https://learn.microsoft.com/dynamics365/customerengagement/on-premises/admin/"
            "connect-dynamics-365-on-premises-exchange-online",
        ),
        Question(
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
            "Server-based SharePoint integration signs with the same certificate: upload its new "
            "public key to the SharePoint app before the cut-over.",
            "https://learn.microsoft.com/dynamics365/customerengagement/on-premises/admin/"
            "on-prem-server-based-sharepoint-on-prem",
        ),
    )
}


def newest(organization: Organization, question: str) -> RecordedAnswer | None:
    """Give the answer that counts, or None when nobody has answered."""
    answers = RecordedAnswer.objects.filter(organization=organization, question=question)
    return answers.select_related("person").order_by("-at", "-pk").first()
