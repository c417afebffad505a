from __future__ import annotations

from django.urls import path

from sync_setup.views import (
    answers,
    connections,
    deployments,
    ews,
    organizations,
    policies,
    preflight,
    profiles,
    setup,
    tenants,
    wizard,
)

app_name = "sync_setup"
_ORGANIZATION = "organizations/<slug:slug>/"
_PROFILE = f"{_ORGANIZATION}profiles/<uuid:profile_id>/"
_DEPLOYMENT = "settings/deployments/<slug:slug>/"
urlpatterns = [
    path("organizations/", organizations.organizations, name="organizations"),
    path(_ORGANIZATION, organizations.organization, name="organization"),
    path(f"{_ORGANIZATION}look/", organizations.look, name="look"),
    path(f"{_ORGANIZATION}look/live/", organizations.look_live, name="look-live"),
    path(f"{_ORGANIZATION}test/", organizations.test_connection, name="test-connection"),
    path(f"{_ORGANIZATION}certificates/", organizations.certificates, name="certificates"),
    path(
        f"{_ORGANIZATION}certificates/<str:thumbprint>.cer",
        organizations.certificate_file,
        name="certificate-file",
    ),
    path(f"{_ORGANIZATION}jobs/", organizations.jobs, name="organization-jobs"),
    path(f"{_ORGANIZATION}history/", organizations.history, name="organization-history"),
    path(f"{_ORGANIZATION}answers/", answers.answers, name="answers"),
    path(f"{_ORGANIZATION}answers/<slug:question>/", answers.record, name="record-answer"),
    path(f"{_ORGANIZATION}profiles/", profiles.profiles, name="profiles"),
    path(f"{_ORGANIZATION}profiles/new/", profiles.new, name="new-profile"),
    path(_PROFILE, profiles.profile, name="profile"),
    path(f"{_PROFILE}change/", profiles.change, name="change-profile"),
    path(f"{_PROFILE}standard/", profiles.to_standard, name="profile-to-standard"),
    path(f"{_PROFILE}state/", profiles.set_state, name="set-profile-state"),
    path("jobs/new/", setup.new, name="new-setup"),
    path("jobs/<job:number>/certificate/", wizard.certificate, name="wizard-certificate"),
    path("jobs/<job:number>/inspection/", wizard.inspection, name="wizard-inspection"),
    path("jobs/<job:number>/preflight/", preflight.preflight, name="wizard-preflight"),
    path("jobs/<job:number>/plan/", wizard.plan, name="wizard-plan"),
    path("ews/", ews.calendar, name="ews"),
    path("settings/", connections.connections, name="settings"),
    path("settings/organizations/new/", connections.new_organization, name="new-organization"),
    path("settings/organizations/<slug:slug>/approvals/", policies.policies, name="policies"),
    path("settings/tenants/new/", tenants.new, name="new-tenant"),
    path("settings/tenants/<int:number>/", tenants.tenant, name="tenant"),
    path("settings/deployments/new/", deployments.new, name="new-deployment"),
    path(_DEPLOYMENT, deployments.deployment, name="deployment"),
    path(f"{_DEPLOYMENT}servers/", deployments.add_server, name="add-server"),
    path(f"{_DEPLOYMENT}servers/<int:number>/", deployments.change_server, name="change-server"),
]
