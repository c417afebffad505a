"""``manage.py sss <verb>``: the portal's work without a browser. Same actions, same rules, same history."""
