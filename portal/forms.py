"""Forms as the pages show them: errors at their field, what was typed kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django import forms

from portal.errors import BadInput


class Form(forms.Form):
    """A form without Django's colons; ``_field.html`` draws its fields."""

    def __init__(self, *args: object, **options: object) -> None:
        options.setdefault("label_suffix", "")
        super().__init__(*args, **options)  # type: ignore[arg-type]


@contextmanager
def shown_at_fields(form: forms.Form, **places: str) -> Iterator[None]:
    """Show a BadInput that an action raises at the form's field, so that nothing typed is lost.

    :param places: where an action's field has another name in the form: ``window="starts_at"``.
    """
    try:
        yield
    except BadInput as error:
        field = places.get(error.field, error.field)
        text = " ".join(part for part in (error.message, error.remedy) if part)
        form.add_error(field if field in form.fields else None, text)
