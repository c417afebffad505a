"""The platform: people, roles, jobs, history, secrets. It knows nothing of Exchange or Dynamics."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
