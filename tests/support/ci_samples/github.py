"""A job's environment, as documented at the links in tfevents/context/ci/github.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_EVENT = "/home/runner/work/_temp/_github_workflow/event.json"
_HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
_SHA = "ffac537e6cbbf934b08745a378932722df287a53"
JOB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_TRIGGERING_ACTOR": "octocat",
    "GITHUB_EVENT_PATH": _EVENT,
    "GITHUB_JOB": "greeting_job",
    "GITHUB_REPOSITORY": "octocat/Hello-World",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_ID": "1658821493",
    "GITHUB_RUN_NUMBER": "3",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": _SHA,
    "GITHUB_WORKFLOW": "Terraform",
    "GITHUB_WORKFLOW_REF": "octocat/Hello-World/.github/workflows/tf.yml@refs/heads/main",
}
FACTS = {
    "vendor": "github",
    "pipeline": "octocat/Hello-World/.github/workflows/tf.yml",
    "pipeline_name": "Terraform",
    "execution_id": "1658821493",
    "execution_number": "3",
    "repository": "https://github.com/octocat/Hello-World",
    "actor": "octocat",
    "url": "https://github.com/octocat/Hello-World/actions/runs/1658821493",
}
_PULL_REQUEST = {
    **JOB,
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_BASE_REF": "main",
    "GITHUB_HEAD_REF": "changes",
    "GITHUB_REF": "refs/pull/2/merge",
    "GITHUB_REF_NAME": "2/merge",
    "GITHUB_REF_TYPE": "branch",
}
_PULL_REQUEST_EVENT = (
    b'{"action": "opened", "number": 2, "pull_request": {"number": 2, "title": "Update",'
    b' "head": {"ref": "changes", "sha": "ec26c3e57ca3a959ca5aad62de7213c562f8c821",'
    b' "repo": {"full_name": "someone/Hello-World", "fork": true}}, "base": {"ref": "main"}}}'
)
_BRANCH = {
    **JOB,
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
}
SAMPLES = [
    Sample(
        "push",
        {**_BRANCH, "GITHUB_EVENT_NAME": "push"},
        Build(
            **FACTS, trigger_type="push", branch="main", sha=_SHA, message="Fix it\n\nAs agreed."
        ),
        {
            _EVENT: b'{"ref": "refs/heads/main", "head_commit": {"id": "' + _SHA.encode() + b'",'
            b' "message": "Fix it\\n\\nAs agreed."}}'
        },
    ),
    Sample(
        "push to a branch with a slash",
        {**_BRANCH, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/origin/a/b"},
        Build(**FACTS, trigger_type="push", branch="origin/a/b", sha=_SHA),
    ),
    Sample(
        "fork's pull request",
        _PULL_REQUEST,
        Build(**FACTS, trigger_type="pull_request", branch="changes", sha=_HEAD, pull_request="2"),
        {_EVENT: _PULL_REQUEST_EVENT},
    ),
    Sample(
        "pull request, event file gone",
        _PULL_REQUEST,
        Build(
            **FACTS,
            trigger_type="pull_request",
            branch="changes",
            merge_commit=_SHA,
            pull_request="2",
        ),
    ),
    Sample(
        "pull_request_target",
        {
            **_PULL_REQUEST,
            "GITHUB_EVENT_NAME": "pull_request_target",
            "GITHUB_REF": "refs/heads/main",
        },
        Build(**FACTS, trigger_type="pull_request", branch="changes", sha=_HEAD, pull_request="2"),
        {_EVENT: _PULL_REQUEST_EVENT},
    ),
    Sample(
        "review of a pull request",
        {
            **JOB,
            "GITHUB_EVENT_NAME": "pull_request_review",
            "GITHUB_REF": "refs/pull/2/merge",
            "GITHUB_HEAD_REF": "",
        },
        Build(
            **FACTS,
            trigger_type="pull_request_review",
            branch="changes",
            sha=_HEAD,
            pull_request="2",
        ),
        {_EVENT: _PULL_REQUEST_EVENT},
    ),
    Sample(
        "comment on a pull request",
        {**_BRANCH, "GITHUB_EVENT_NAME": "issue_comment"},
        Build(
            **FACTS,
            trigger_type="issue_comment",
            branch="main",
            sha=_SHA,
            pull_request="2",
            chooses_checkout=True,
        ),
        {
            _EVENT: b'{"action": "created", "issue": {"number": 2, "pull_request":'
            b' {"url": "https://api.github.com/repos/octocat/Hello-World/pulls/2"}}}'
        },
    ),
    Sample(
        "comment on an issue",
        {**_BRANCH, "GITHUB_EVENT_NAME": "issue_comment"},
        Build(**FACTS, trigger_type="issue_comment", branch="main", sha=_SHA),
        {_EVENT: b'{"action": "created", "issue": {"number": 9}}'},
    ),
    Sample(
        "merge queue",
        {
            **_BRANCH,
            "GITHUB_EVENT_NAME": "merge_group",
            "GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-2-ec26c3e57ca3a959ca5aad62de7213c5",
        },
        Build(**FACTS, trigger_type="merge_group", sha=_SHA, message="Merge pull request #2"),
        {
            _EVENT: b'{"merge_group": {"head_commit": {"id": "' + _SHA.encode() + b'",'
            b' "message": "Merge pull request #2"}}}'
        },
    ),
    Sample(
        "tag",
        {
            **JOB,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": "refs/tags/v1.0.0",
            "GITHUB_REF_NAME": "v1.0.0",
            "GITHUB_REF_TYPE": "tag",
        },
        Build(**FACTS, trigger_type="tag", tag="v1.0.0", sha=_SHA),
    ),
    Sample(
        "tag, on a server that has no GITHUB_REF_TYPE",
        {**JOB, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/release/v1.0.0"},
        Build(**FACTS, trigger_type="tag", tag="release/v1.0.0", sha=_SHA),
    ),
    Sample(
        "release",
        {
            **JOB,
            "GITHUB_EVENT_NAME": "release",
            "GITHUB_REF": "refs/tags/v1.0.0",
            "GITHUB_REF_NAME": "v1.0.0",
            "GITHUB_REF_TYPE": "tag",
        },
        Build(**FACTS, trigger_type="release", tag="v1.0.0", sha=_SHA),
        {_EVENT: b'{"action": "published", "release": {"tag_name": "v1.0.0"}}'},
    ),
    Sample(
        "self-hosted runner that a Jenkins job has started",
        {
            **_BRANCH,
            "GITHUB_EVENT_NAME": "push",
            "JENKINS_URL": "https://jenkins.example.com/",
            "JOB_NAME": "runners/linux",
            "BUILD_NUMBER": "153",
            "BUILD_TAG": "jenkins-runners-linux-153",
            "GIT_COMMIT": "0123456789abcdef0123456789abcdef01234567",
            "GIT_BRANCH": "origin/runners",
        },
        Build(**FACTS, trigger_type="push", branch="main", sha=_SHA),
    ),
    Sample(
        "a job with the tokens of half the others",
        {
            **_BRANCH,
            "GITHUB_EVENT_NAME": "push",
            "DRONE_TOKEN": "x",
            "GITLAB_TOKEN": "x",
            "SPACELIFT_API_KEY_ID": "x",
            "SCALR_HOSTNAME": "acme.scalr.io",
            "TFC_TOKEN": "x",
            "TF_VAR_env0_api_key": "x",
            "BUILD_ID": "7",
            "PROJECT_ID": "my-project",
        },
        Build(**FACTS, trigger_type="push", branch="main", sha=_SHA),
    ),
    Sample(
        "merged pull request",
        {**_PULL_REQUEST, "GITHUB_HEAD_REF": "changes"},
        Build(**FACTS, trigger_type="pull_request", branch="changes", sha=_HEAD, pull_request="2"),
        {
            _EVENT: b'{"action": "closed", "number": 2, "pull_request": {"number": 2,'
            b' "merged": true, "merge_commit_sha": "' + _SHA.encode() + b'",'
            b' "head": {"ref": "changes", "sha": "' + _HEAD.encode() + b'"}}}'
        },
    ),
    Sample(
        "after another workflow",
        {**_BRANCH, "GITHUB_EVENT_NAME": "workflow_run"},
        Build(**FACTS, trigger_type="upstream", branch="main", sha=_SHA, chooses_checkout=True),
        {
            _EVENT: b'{"action": "completed", "workflow_run": {"id": 30433642,'
            b' "head_branch": "changes", "head_sha": "' + _HEAD.encode() + b'"}}'
        },
    ),
    Sample(
        "reusable workflow, whose caller is the pipeline",
        {
            **_BRANCH,
            "GITHUB_EVENT_NAME": "workflow_dispatch",
            "GITHUB_ACTION_REF": "v4",
            "GITHUB_ACTION_REPOSITORY": "octo-org/workflows",
            "GITHUB_TRIGGERING_ACTOR": "hubot",
            "GITHUB_RUN_ATTEMPT": "2",
        },
        Build(**FACTS, trigger_type="manual", branch="main", sha=_SHA),
    ),
    Sample(
        "manual",
        {**_BRANCH, "GITHUB_EVENT_NAME": "workflow_dispatch"},
        Build(**FACTS, trigger_type="manual", branch="main", sha=_SHA),
        {_EVENT: b'{"inputs": null, "ref": "refs/heads/main"}'},
    ),
    Sample(
        "schedule",
        {**_BRANCH, "GITHUB_EVENT_NAME": "schedule"},
        Build(**FACTS, trigger_type="schedule", branch="main", sha=_SHA),
        {_EVENT: b'{"schedule": "0 4 * * *"}'},
    ),
    Sample(
        "GitHub Enterprise Server before GITHUB_WORKFLOW_REF, called by an API",
        {
            **{name: value for name, value in _BRANCH.items() if name != "GITHUB_WORKFLOW_REF"},
            "GITHUB_EVENT_NAME": "repository_dispatch",
            "GITHUB_SERVER_URL": "https://git.example.com/",
        },
        Build(
            **{
                **FACTS,
                "pipeline": "Terraform",
                "repository": "https://git.example.com/octocat/Hello-World",
                "url": "https://git.example.com/octocat/Hello-World/actions/runs/1658821493",
            },
            trigger_type="api",
            branch="main",
            sha=_SHA,
        ),
    ),
]
