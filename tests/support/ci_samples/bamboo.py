"""A job's environment, as documented at the links in tfevents/context/ci/bamboo.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_JOB = {
    "bamboo_buildKey": "BAM-MAIN-JOBX",
    "bamboo_planKey": "BAM-MAIN",
    "bamboo_planName": "Some project name - Some plan name",
    "bamboo_buildNumber": "8",
    "bamboo_buildResultKey": "BAM-MAIN-JOBX-8",
    "bamboo_buildResultsUrl": "https://bamboo.example.com/browse/BAM-MAIN-JOBX-8",
    "bamboo_planRepository_1_branch": "main",
    "bamboo_planRepository_1_revision": "ce9a3c1404e8c91be604088670e93434c4253f03",
    "bamboo_planRepository_1_repositoryUrl": "ssh://git@git.example.com:7999/acme/infra.git",
    "bamboo_planRepository_branch": "other",
    "bamboo_planRepository_revision": "0123456789abcdef0123456789abcdef01234567",
    "bamboo_planRepository_repositoryUrl": "ssh://git@git.example.com:7999/acme/other.git",
}
_FACTS = {
    "vendor": "bamboo",
    "pipeline": "BAM-MAIN",
    "pipeline_name": "Some project name - Some plan name",
    "execution_id": "BAM-MAIN-8",
    "execution_number": "8",
    "stage_id": "BAM-MAIN-JOBX-8",
    "sha": "ce9a3c1404e8c91be604088670e93434c4253f03",
    "repository": "ssh://git@git.example.com:7999/acme/infra.git",
    "url": "https://bamboo.example.com/browse/BAM-MAIN-JOBX-8",
}
SAMPLES = [
    Sample("branch", _JOB, Build(**_FACTS, branch="main")),
    Sample(
        "manual",
        {**_JOB, "bamboo_ManualBuildTriggerReason_userName": "sidney"},
        Build(**_FACTS, trigger_type="manual", branch="main", actor="sidney"),
    ),
    Sample(
        "pull request",
        {
            **_JOB,
            "bamboo_repository_pr_key": "33",
            "bamboo_repository_pr_sourceBranch": "wider",
            "bamboo_repository_pr_targetBranch": "main",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", pull_request="33"),
    ),
    Sample(
        "at a time",
        {
            **_JOB,
            "bamboo_triggerReason_key": "com.atlassian.bamboo.plugin.system.triggerReason:"
            "ScheduledTriggerReason",
        },
        Build(**_FACTS, trigger_type="schedule", branch="main"),
    ),
    Sample(
        "once more, in Bamboo's own word",
        {
            **_JOB,
            "bamboo_triggerReason_key": "com.atlassian.bamboo.plugin.system.triggerReason:"
            "RerunBuildTriggerReason",
        },
        Build(**_FACTS, trigger_type="Rerun", branch="main"),
    ),
    Sample(
        "deployment of a release",
        {
            "bamboo_agentId": "131073",
            "bamboo_deploy_environment": "Production",
            "bamboo_deploy_project": "Network",
            "bamboo_deploy_release": "release-5",
            "bamboo_deploy_version": "release-5",
            "bamboo_deploy_rollback": "false",
            "bamboo_resultsUrl": "https://bamboo.example.com/deploy/viewDeploymentResult.action?id=1",
            "bamboo_triggerReason_key": "com.atlassian.bamboo.plugin.system.triggerReason:"
            "ManualBuildTriggerReason",
        },
        Build(
            vendor="bamboo",
            pipeline="Network",
            pipeline_name="Network",
            trigger_type="manual",
            url="https://bamboo.example.com/deploy/viewDeploymentResult.action?id=1",
        ),
    ),
    Sample(
        "deployment that also has the variables of its plan",
        {**_JOB, "bamboo_deploy_project": "Network", "bamboo_deploy_environment": "Production"},
        Build(
            **{
                **_FACTS,
                "pipeline": "Network",
                "pipeline_name": "Network",
                "execution_id": None,
                "execution_number": None,
                "stage_id": None,
            },
            branch="main",
        ),
    ),
    Sample(
        "older, with one repository",
        {
            "bamboo_buildKey": "BAM-MAIN-JOBX",
            "bamboo_planRepository_branchName": "main",
            "bamboo_planRepository_revision": "ce9a3c1404e8c91be604088670e93434c4253f03",
            "bamboo_resultsUrl": "https://bamboo.example.com/browse/BAM-MAIN-JOBX-8",
        },
        Build(
            vendor="bamboo",
            branch="main",
            sha="ce9a3c1404e8c91be604088670e93434c4253f03",
            url="https://bamboo.example.com/browse/BAM-MAIN-JOBX-8",
        ),
    ),
]
