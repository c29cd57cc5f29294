"""The carrier's REST interface, one module for each resource.

api.py            who may ask, how often, which resource answers
requests.py       a request and its fields, checked as they are read
paging.py         lists
calls.py          Calls, and Recordings under them
conferences.py    Conferences, and Recordings under them
participants.py   Participants of a conference
queues.py         Queues and their Members
recordings.py     Recordings and their files
messages.py       Messages and their Media
accounts.py       the account itself, its numbers and applications
"""
