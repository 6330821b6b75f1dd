"""Reads a repository with a client of GitHub's API that we did not write, and prints what it finds as JSON.

usage: client.py API TOKEN OWNER/NAME
"""

import json
import sys
import types

# The client imports these for repository secrets, which nobody here asks for.
sys.modules["nacl"] = types.ModuleType("nacl")
for name in ("encoding", "public"):
    sys.modules["nacl." + name] = types.ModuleType(name)
    setattr(sys.modules["nacl"], name, sys.modules["nacl." + name])

from github import Auth, Github  # noqa: E402

api, token, slug = sys.argv[1:]
repository = Github(base_url=api, auth=Auth.Token(token)).get_repo(slug)
found = []
for pull in repository.get_pulls(state="all"):
    found.append({
        "number": pull.number,
        "state": pull.state,
        "merged": pull.merged_at is not None,
        "title": pull.title,
        "body": pull.body,
        "head": pull.head.ref,
        "headSha": pull.head.sha,
        "base": pull.base.ref,
        "labels": sorted(label.name for label in pull.labels),
        "reviewers": sorted(user.login for user in pull.requested_reviewers),
        "teams": sorted(team.slug for team in pull.requested_teams),
        "assignees": sorted(user.login for user in pull.assignees),
        "comments": [comment.body for comment in pull.get_issue_comments()],
    })
print(json.dumps({"repository": repository.full_name, "pulls": found}))
