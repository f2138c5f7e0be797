"""A job's environment, as documented at the links in tfevents/context/ci/codebuild.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_ID = "codebuild-demo-project:b1e6661e-e4f2-4156-9ab9-82a19EXAMPLE"
_SHA = "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d"
JOB = {
    "AWS_REGION": "us-east-1",
    "CODEBUILD_CI": "true",
    "CODEBUILD_BUILD_ARN": f"arn:aws:codebuild:us-east-1:123456789012:build/{_ID}",
    "CODEBUILD_BUILD_ID": _ID,
    "CODEBUILD_BUILD_NUMBER": "12",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": _SHA,
    "CODEBUILD_SOURCE_REPO_URL": "https://github.com/acme/infra.git",
}
_FACTS = {
    "vendor": "codebuild",
    "pipeline": "codebuild-demo-project",
    "pipeline_name": "codebuild-demo-project",
    "execution_id": _ID,
    "execution_number": "12",
    "sha": _SHA,
    "repository": "https://github.com/acme/infra.git",
}
SAMPLES = [
    Sample(
        "push",
        {
            **JOB,
            "CODEBUILD_INITIATOR": "GitHub-Hookshot/044aadd",
            "CODEBUILD_SOURCE_VERSION": f"refs/heads/main^{{{_SHA}}}",
            "CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID": "583231",
            "CODEBUILD_WEBHOOK_EVENT": "PUSH",
            "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/main",
            "CODEBUILD_WEBHOOK_TRIGGER": "branch/main",
        },
        Build(**_FACTS, trigger_type="push", branch="main", actor="583231"),
    ),
    Sample(
        "pull request",
        {
            **JOB,
            "CODEBUILD_INITIATOR": "GitHub-Hookshot/044aadd",
            "CODEBUILD_SOURCE_VERSION": "pr/1",
            "CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID": "583231",
            "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main",
            "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/feature/wider",
            "CODEBUILD_WEBHOOK_TRIGGER": "pr/1",
        },
        Build(
            **_FACTS,
            trigger_type="pull_request",
            branch="feature/wider",
            actor="583231",
            pull_request="1",
        ),
    ),
    Sample(
        "tag",
        {
            **JOB,
            "CODEBUILD_WEBHOOK_HEAD_REF": "refs/tags/v1",
            "CODEBUILD_WEBHOOK_TRIGGER": "tag/v1",
        },
        Build(**_FACTS, trigger_type="tag", tag="v1"),
    ),
    Sample(
        "a merged pull request",
        {
            **JOB,
            "CODEBUILD_INITIATOR": "GitHub-Hookshot/044aadd",
            "CODEBUILD_SOURCE_VERSION": "pr/1",
            "CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID": "583231",
            "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main",
            "CODEBUILD_WEBHOOK_EVENT": "PULL_REQUEST_MERGED",
            "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/wider",
            "CODEBUILD_WEBHOOK_MERGE_COMMIT": "0123456789abcdef0123456789abcdef01234567",
            "CODEBUILD_WEBHOOK_TRIGGER": "pr/1",
        },
        Build(
            **_FACTS, trigger_type="pull_request", branch="wider", actor="583231", pull_request="1"
        ),
    ),
    Sample(
        "a user's build of a pull request",
        {**JOB, "CODEBUILD_INITIATOR": "MyUserName", "CODEBUILD_SOURCE_VERSION": "pr/25"},
        Build(**_FACTS, actor="MyUserName", pull_request="25"),
    ),
    Sample(
        "a user's build of a branch",
        {
            **JOB,
            "CODEBUILD_INITIATOR": "MyUserName",
            "CODEBUILD_SOURCE_VERSION": f"refs/heads/feature/wider^{{{_SHA}}}",
        },
        Build(**_FACTS, branch="feature/wider", actor="MyUserName"),
    ),
    Sample(
        "a build of something by its name only, started by a rule",
        {**JOB, "CODEBUILD_INITIATOR": "rule/nightly", "CODEBUILD_SOURCE_VERSION": "v1"},
        Build(**_FACTS),
    ),
    Sample(
        "Jenkins' plugin, a tag, CodeCommit",
        {
            **JOB,
            "CODEBUILD_INITIATOR": "CodeBuild-Jenkins-Plugin",
            "CODEBUILD_SOURCE_REPO_URL": "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/a",
            "CODEBUILD_SOURCE_VERSION": "refs/tags/v1",
        },
        Build(
            **{
                **_FACTS,
                "repository": "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/a",
            },
            tag="v1",
        ),
    ),
    Sample(
        "a user's, public, from S3",
        {
            **JOB,
            "CODEBUILD_INITIATOR": "MyUserName",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": "",
            "CODEBUILD_SOURCE_REPO_URL": "s3://bucket/input.zip",
            "CODEBUILD_PUBLIC_BUILD_URL": "https://us-east-1.codebuild.aws.amazon.com/project/x",
        },
        Build(
            **{**_FACTS, "sha": None, "repository": None},
            actor="MyUserName",
            url="https://us-east-1.codebuild.aws.amazon.com/project/x",
        ),
    ),
    Sample(
        "action of a CodePipeline",
        {
            **JOB,
            "CODEBUILD_INITIATOR": "codepipeline/my-demo-pipeline",
            "CODEBUILD_SOURCE_REPO_URL": "",
        },
        Build(
            vendor="codepipeline",
            pipeline="my-demo-pipeline",
            pipeline_name="my-demo-pipeline",
            stage_id=_ID,
            sha=_SHA,
        ),
    ),
]
