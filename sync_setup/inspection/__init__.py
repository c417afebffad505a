"""Look at a certificate that somebody brought, before anything else touches it.

The bytes are parsed in a child process of their own (``child``), because a PFX can be made to hang
or to corrupt the process that opens it. What comes back is a ``Report``: facts, codes and a verdict.

    inspector.inspect_pfx   inspector.inspect_public   rewrapping.rewrap
"""

from __future__ import annotations
