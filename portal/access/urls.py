from __future__ import annotations

from django.urls import path

from portal.access import views

app_name = "access"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/begin/", views.begin, name="begin"),
    path("sign-in/callback/", views.callback, name="callback"),
    path("sign-in/break-glass/", views.break_glass, name="break-glass"),
    path("sign-out/", views.sign_out, name="sign-out"),
]
