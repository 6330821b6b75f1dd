"""Reads a project with a client of GitLab's API that we did not write, and prints what it finds as JSON.

usage: client.py SERVER TOKEN GROUP/PROJECT
"""

import json
import sys

import gitlab

server, token, path = sys.argv[1:]
client = gitlab.Gitlab(server, private_token=token)
client.auth()
project = client.projects.get(path)
found = []
for shown in project.mergerequests.list(state="all", order_by="created_at", sort="desc", get_all=True, per_page=2):
    request = project.mergerequests.get(shown.iid)
    notes = request.notes.list(get_all=True, order_by="created_at", sort="asc")
    statuses = project.commits.get(request.sha, lazy=True).statuses.list(get_all=True)
    found.append({
        "number": request.iid,
        "state": request.state,
        "title": request.title,
        "body": request.description,
        "head": request.source_branch,
        "headSha": request.sha,
        "base": request.target_branch,
        "labels": request.labels,
        "reviewers": sorted(user["username"] for user in request.reviewers),
        "assignees": sorted(user["username"] for user in request.assignees),
        "draft": request.draft,
        "mergeCommit": request.merge_commit_sha or request.squash_commit_sha,
        "notes": [note.body for note in notes if not note.system],
        "statuses": {status.name: status.status for status in statuses},
    })
deployed = [one.sha for one in project.deployments.list(environment="dev", get_all=True)]
print(json.dumps({"project": project.path_with_namespace, "pulls": found, "deployed": deployed}))
