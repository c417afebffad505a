from __future__ import annotations

from portal.audit import events

events.register(
    deployment__registered="registered a deployment",
    deployment__changed="changed a deployment's connection",
    tenant__registered="registered a tenant",
    tenant__changed="changed a tenant's access",
    organization__registered="registered an organization",
    certificate__uploaded="uploaded a certificate",
    certificate__chosen="chose a certificate that is on the servers",
    answer__recorded="recorded an answer",
)
