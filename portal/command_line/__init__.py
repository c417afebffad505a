"""What the portal's commands have in common: who acts, how they end, what they print.

Exit codes (``outcome.Exit``): 0 as asked · 1 the thing itself failed or is blocked · 2 it cannot be run
as given · 3 not allowed · 4 it has moved on meanwhile · 5 no answer in time · 6 a person is needed.
"""
