from __future__ import annotations

from django.urls import path

from portal.jobs import confirming, decisions, views

app_name = "jobs"
urlpatterns = [
    path("approvals/", views.approvals, name="approvals"),
    path("jobs/", views.job_list, name="list"),
    path("jobs/<job:number>/", views.job, name="job"),
    path("jobs/<job:number>/live/", views.live, name="live"),
    path("jobs/<job:number>/review/", views.review, name="review"),
    path("jobs/<job:number>/log/", views.log, name="log"),
    path("jobs/<job:number>/log.txt", views.log_text, name="log-text"),
    path("jobs/<job:number>/check/", decisions.check, name="check"),
    path("jobs/<job:number>/send/", decisions.send, name="send"),
    path("jobs/<job:number>/discard/", decisions.discard, name="discard"),
    path("jobs/<job:number>/withdraw/", decisions.withdraw, name="withdraw"),
    path("jobs/<job:number>/approve/", decisions.approve, name="approve"),
    path("jobs/<job:number>/send-back/", decisions.send_back, name="send-back"),
    path("jobs/<job:number>/reject/", decisions.reject, name="reject"),
    path("jobs/<job:number>/draft-again/", decisions.draft_again, name="draft-again"),
    path("jobs/<job:number>/continue/", decisions.continue_job, name="continue"),
    path("jobs/<job:number>/cancel/", confirming.cancel, name="cancel"),
    path("jobs/<job:number>/retry/", confirming.retry, name="retry"),
    path("jobs/<job:number>/undo/", confirming.undo, name="undo"),
    path("jobs/<job:number>/settle/", decisions.settle, name="settle"),
]
