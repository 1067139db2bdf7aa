"""What must survive: principals, review items, jobs, feedback and the audit, in one SQLite file."""

from invoicer.store.database import Store, StoreError, utc_text

__all__ = ["Store", "StoreError", "utc_text"]
