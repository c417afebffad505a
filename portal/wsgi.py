from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from portal.start_checks import demand_sound_configuration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()
demand_sound_configuration("web")
