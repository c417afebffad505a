"""Who else signs with the token issuer: the cut-over is theirs too."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from portal.jobs.checks import Found
from portal.jobs.states import Verdict
from sync_setup import recorded
from sync_setup.checks.answers import evidence_of, judge_answer, to_record
from sync_setup.checks.findings import listed, sentence, short
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import ANSWERS, SetupCheck
from sync_setup.gateways.identifiers import CRM_APP_ID
from sync_setup.models import RecordedAnswer, TokenCertificate

QUESTION = recorded.OTHER_CONSUMERS
ON_PREMISES = 1  # organization.sharepointdeploymenttype; 0 is also what it says when never set


class OtherConsumers(SetupCheck):
    """SharePoint and the other organizations sign with the same certificate, and must know the new one.

    Signs of them are looked for; only where there are none does the check pass without a person's word.
    """

    key = QUESTION.key
    title = QUESTION.title
    group = ANSWERS
    source = QUESTION.source

    def judge(self, seen: Readings) -> Found:
        certificate, issuer = seen.certificate, seen.deployment.token_issuer
        if issuer is not None and issuer.thumbprint == certificate.thumbprint:
            return Found(
                Verdict.PASS,
                f"{short(certificate.thumbprint)} is the token issuer already; nothing changes for others.",
            )
        signs = list(_signs(seen))
        answer = recorded.newest(seen.context.organization, QUESTION.key)
        if answer is not None and answer.answer in QUESTION.bad:
            return judge_answer(seen, QUESTION)
        evidence = {"signs of others": signs}
        if not signs:
            kept = evidence | (evidence_of(answer, QUESTION) if answer else {})
            return Found(Verdict.PASS, "Nothing else was found that uses the token issuer.", kept)
        if answer is None:
            return Found(Verdict.TO_RECORD, sentence(listed(signs)), evidence, to_record(QUESTION))
        return _judge(seen, answer, certificate, signs)


def _judge(
    seen: Readings, answer: RecordedAnswer, certificate: TokenCertificate, signs: list[str]
) -> Found:
    """Judge a good answer where there are signs of others."""
    evidence = {"signs of others": signs} | evidence_of(answer, QUESTION)
    if answer.answer == "none":
        return Found(
            Verdict.WARN,
            f"{answer.person.name} answered that nothing else uses it, but {listed(signs)}.",
            evidence,
            to_record(QUESTION),
        )
    if answer.at < certificate.made_at:
        # They have the key of an earlier certificate, then.
        return Found(
            Verdict.TO_RECORD,
            f"The answer of {answer.person.name} is older than the choice of this certificate.",
            evidence,
            to_record(QUESTION),
        )
    found = judge_answer(seen, QUESTION)
    return Found(found.verdict, found.finding, evidence, found.fix)


def _signs(seen: Readings) -> Iterator[str]:
    """What points to another consumer, each as part of a sentence."""
    if seen.organization_record.fields.get("sharepointdeploymenttype") == ON_PREMISES:
        yield "the organization is connected to SharePoint on-premises"
    for other in seen.deployment.organizations:
        if other.unique_name == seen.context.organization.unique_name:
            continue
        if tenant := seen.tenant_id_of(other.id):
            yield f"{other.unique_name} is connected to the tenant {tenant}"
    own = _own_domains(seen)
    for name in seen.principal.names:
        identifier, _, host = name.partition("/")
        if identifier.lower() != CRM_APP_ID or not host:
            continue
        if not any(_is_below(host.lower(), domain) for domain in own):
            yield f"the application of Dynamics has the name {host} of another place"


def _own_domains(seen: Readings) -> set[str]:
    """Domains that are this deployment's or this tenant's own."""
    web = urlsplit(seen.context.deployment.web_api_url.replace("{organization}", "organization"))
    return (
        {seen.server(server).domain.lower() for server in seen.servers}
        | {domain.name.lower() for domain in seen.tenant.domains}
        | {(web.hostname or "").lower()}
    ) - {""}


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
