from __future__ import annotations


class JobNumber:
    """J-1042 in an address; at most 18 digits, which every database's integers hold."""

    regex = "J-[1-9][0-9]{0,17}"

    def to_python(self, text: str) -> int:
        return int(text[2:])

    def to_url(self, number: int) -> str:
        return f"J-{number}"
