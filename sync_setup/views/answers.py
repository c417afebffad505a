from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from portal.errors import NotFound
from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from sync_setup.actions import record_answer
from sync_setup.forms.setup import AnswerForm
from sync_setup.models import Organization
from sync_setup.recorded import QUESTIONS, STALE_AFTER_DAYS, age_days
from sync_setup.views.places import frame, organization_for


def answers(request: SignedInRequest, slug: str) -> HttpResponse:
    """What no interface tells: every question, who answered what and when, and the form to answer anew."""
    return _page(request, organization_for(request, slug))


def record(request: SignedInRequest, slug: str, question: str) -> HttpResponse:
    """Record the answer to one question."""
    found = organization_for(request, slug)
    if question not in QUESTIONS:
        raise NotFound(f"There is no question {question}.", remedy="Open the list of questions.")
    if request.method != "POST":
        return redirect("sync_setup:answers", slug)
    form = AnswerForm(QUESTIONS[question], request.POST, is_required=True)
    if form.is_valid() and form.given is not None:
        with shown_at_fields(form):
            given = form.given
            record_answer(
                found,
                given.question,
                given.answer,
                by=request.user,
                remark=given.remark,
                ticket=given.ticket,
            )
            messages.success(request, f"Recorded: {QUESTIONS[question].title}.")
            return redirect("sync_setup:answers", slug)
    return _page(request, found, refused=form)


def _page(
    request: SignedInRequest, organization: Organization, refused: AnswerForm | None = None
) -> HttpResponse:
    now = timezone.now()
    asked: list[dict[str, Any]] = []
    for question in QUESTIONS.values():
        rows = organization.answers.filter(question=question.key).select_related("person")
        given = [(row, question.words(row.answer)) for row in rows.order_by("-at", "-pk")[:20]]
        newest, words = given[0] if given else (None, "")
        is_refused = refused is not None and refused.question is question
        asked.append(
            {
                "question": question,
                "newest": newest,
                "words": words,
                "is_good": newest is not None and newest.answer in question.good,
                "is_old": newest is not None and age_days(newest, now) > STALE_AFTER_DAYS,
                "earlier": given[1:],
                "form": refused if is_refused else AnswerForm(question, is_required=True),
                "is_open": newest is None or is_refused,
            }
        )
    context = frame(request, organization) | {"asked": asked, "has_errors": refused is not None}
    return render(
        request, "sync_setup/answers.html", context, status=422 if refused is not None else 200
    )
