"""The catalog's pages: server-rendered HTML that reads without JavaScript.

`views.py` says what each page shows, `pages.py` answers requests, `lineage.py` draws. The rest of
the platform implements `pages.PageReader` and `pages.Door`; nothing here knows where facts come from.
"""
