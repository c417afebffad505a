"""The outside systems, each behind typed calls: plain values in, frozen dataclasses out.

Every failure leaves here as one of ``portal.errors``; nothing of requests, msal or pypsrp travels on.
"""
