from __future__ import annotations

from typing import Any

from django import forms

from portal.forms import Form
from portal.uploads import LIMIT_BYTES
from sync_setup.drafts import Answer
from sync_setup.models import Organization
from sync_setup.plans import PROFILE_NAME
from sync_setup.presentation.certificates import Stored
from sync_setup.recorded import Question


class StartForm(Form):
    """Which organization a setup is for."""

    org = forms.ChoiceField(
        label="Organization",
        error_messages={
            "required": "Choose the organization.",
            "invalid_choice": "Choose one of the organizations for which you may ask.",
        },
    )

    def __init__(self, organizations: list[Organization], data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.by_slug = {row.scope.slug: row for row in organizations}
        names = [(slug, f"{row} ({row.deployment})") for slug, row in self.by_slug.items()]
        self.fields["org"].choices = [("", "Choose one"), *names]  # type: ignore[attr-defined]

    @property
    def organization(self) -> Organization:
        return self.by_slug[self.cleaned_data["org"]]


class UploadForm(Form):
    """A PFX file and its password. The password is never shown again, not even after an error."""

    pfx = forms.FileField(
        label="Certificate with private key (.pfx or .p12)",
        help_text="RSA 2048 bits or more, from a certificate authority that your CRM servers trust. "
        "Made only for server-to-server sign-in, with a subject of its own: Dynamics finds it by "
        "the subject.",
        widget=forms.FileInput(attrs={"accept": ".pfx,.p12"}),
        allow_empty_file=True,  # the inspection says it better
        error_messages={"required": "Choose the PFX file."},
    )
    password = forms.CharField(
        label="Password of the file",
        help_text="Encrypted at once so that only a worker can open it, used in this job alone, "
        "never shown, and destroyed with the job.",
        required=False,
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "w-l"}),
    )

    def too_large(self) -> None:
        """Say that the file was too large to be taken at all."""
        self.errors.pop("pfx", None)
        self.add_error(
            "pfx",
            f"The file is larger than {LIMIT_BYTES // 1024 // 1024} MB and was not taken. A certificate "
            "file has a few kilobytes: check that you chose the PFX file, and export it with one "
            "certificate and its chain only.",
        )


class ChooseForm(Form):
    """One of the certificates that are on the servers already."""

    thumbprint = forms.ChoiceField(
        label="Certificate on the servers",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one of the certificates."},
    )

    def __init__(self, stored: list[Stored], data: Any = None) -> None:
        super().__init__(data)
        self.fields["thumbprint"].choices = [  # type: ignore[attr-defined]
            (row.thumbprint, row.name) for row in stored
        ]


class OptionsForm(Form):
    """What a requester chooses for a setup, beside the certificate."""

    pilot = forms.CharField(
        label="Pilot mailbox",
        help_text="Address of one mailbox with which the job proves that everything works: it is "
        "approved, tested and enabled.",
        max_length=320,
        widget=forms.TextInput(
            attrs={
                "inputmode": "email",
                "autocapitalize": "off",
                "spellcheck": "false",
                "class": "w-l",
            }
        ),
        error_messages={"required": "Name the pilot mailbox: without it nothing can be proved."},
    )
    profile_name = forms.CharField(
        label="Name of the email server profile",
        help_text="One of this name is brought to what is needed; if there is none, it is created.",
        max_length=100,
        initial=PROFILE_NAME,
        widget=forms.TextInput(attrs={"class": "w-l"}),
    )
    profile_owner = forms.CharField(
        label="Owner of the profile",
        help_text="Gets the alerts of the profile: domain name or address of a person. Empty: whoever "
        "owns it now, or the portal's own user.",
        max_length=200,
        required=False,
        widget=forms.TextInput(
            attrs={"class": "w-l", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )
    set_defaults = forms.BooleanField(
        label="Make profile and server-side synchronization the default for new mailboxes",
        help_text="Existing mailboxes do not change.",
        required=False,
    )


class AnswerForm(Form):
    """The answer to one question, by whoever asked around for it."""

    answer = forms.ChoiceField(
        label="Answer",
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": "Choose one of the answers."},
    )
    remark = forms.CharField(
        label="Who says so, and when did they look?",
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"class": "w-full"}),
    )
    ticket = forms.CharField(
        label="Ticket",
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"class": "w-m"}),
    )

    def __init__(self, question: Question, data: Any = None, *, is_required: bool = False) -> None:
        super().__init__(data, prefix=question.key)
        self.question = question
        answer = self.fields["answer"]
        answer.label, answer.required = question.text, is_required
        answer.choices = list(question.answers)  # type: ignore[attr-defined]
        answer.error_messages["required"] = "Choose one of the answers."

    @property
    def given(self) -> Answer | None:
        """Give what was answered; None where the question was left alone."""
        cleaned = self.cleaned_data
        if not cleaned.get("answer"):
            return None
        return Answer(self.question.key, cleaned["answer"], cleaned["remark"], cleaned["ticket"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if (cleaned.get("remark") or cleaned.get("ticket")) and not cleaned.get("answer"):
            self.add_error("answer", "Choose the answer that the remark is about.")
        return cleaned
