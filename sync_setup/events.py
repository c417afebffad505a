from __future__ import annotations

from portal.audit import events

events.register(
    {
        "deployment.registered": "registered a deployment",
        "server.module_pinned": "pinned the module of a CRM server",
        "deployment.changed": "changed a deployment's connection",
        "tenant.registered": "registered a tenant",
        "tenant.changed": "changed a tenant's access",
        "organization.registered": "registered an organization",
        "certificate.refused": "had a certificate refused by the inspection",
        "certificate.uploaded": "uploaded a certificate",
        "certificate.chosen": "chose a certificate that is on the servers",
        "answer.recorded": "recorded an answer",
    }
)
