"""Records plans of a provider with a schema, drift among them, beside the random plans.

To record them again: `python tests/support/planfile/cloud.py` (five minutes: the AWS provider on
moto).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))

from support.aws import Aws
from support.engines import terraform
from support.planfile import recorded
from support.planfile.project import Project

CONFIGURATION = Path(__file__).with_suffix(".tf")
TOOL = "terraform-1.11.4"
LATER = """
moved {
  from = aws_iam_policy.p
  to   = aws_iam_policy.pp
}
import {
  to = aws_sns_topic.imported
  id = "arn:aws:sns:us-east-1:123456789012:other"
}
resource "aws_sns_topic" "imported" { name = "other" }
"""
BEFORE = {"create": ()}
DRIFTED = {
    "drift": (),
    "drift-refresh-only": ("-refresh-only",),
    "drift-change": ("-var=n=3",),
    "target": ("-target=aws_vpc.v", "-var=n=4"),
    "replace": ("-replace=aws_iam_policy.p",),
    "destroy": ("-destroy",),
}
MOVED = {"move-import-change": ("-var=n=2",)}


def keep(project: Project, plans: dict[str, tuple[str, ...]]) -> None:
    """Records each plan, by its name and flags."""
    for name, flags in plans.items():
        path = recorded.keep(project.plan(*flags), TOOL, f"aws-{name}")
        sys.stderr.write(f"{path}\n")


def drift(aws: Aws) -> None:
    """Changes resources outside terraform: a map, a set of objects, numbers; one is deleted."""
    ec2 = aws.client("ec2")
    aws.client("iam").tag_role(RoleName="role-a", Tags=[{"Key": "who", "Value": "me"}])
    groups = ec2.describe_security_groups()["SecurityGroups"]
    (group,) = (found["GroupId"] for found in groups if found["GroupName"] == "g")
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    ssh |= {"IpRanges": [{"CidrIp": "192.0.2.4/32"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
    aws.client("logs").put_retention_policy(logGroupName="/l/old", retentionInDays=30)
    units = {"ReadCapacityUnits": 50, "WriteCapacityUnits": 5}
    aws.client("dynamodb").update_table(TableName="tab", ProvisionedThroughput=units)
    tags = {"TagSet": [{"Key": "z", "Value": "1"}]}
    aws.client("s3").put_bucket_tagging(Bucket="bkt", Tagging=tags)
    aws.client("ssm").delete_parameter(Name="/p/one")
    aws.client("sns").create_topic(Name="other")


def record(aws: Aws, place: Path) -> None:
    """Records all plans from scratch: of a creation, of drift, of a move."""
    project, text = Project(aws, place, terraform()), CONFIGURATION.read_text()
    project.write(text)
    project.do("init")
    keep(project, BEFORE)
    project.do("apply", "-auto-approve")
    drift(aws)
    keep(project, DRIFTED)
    renamed = text.replace('"aws_iam_policy" "p"', '"aws_iam_policy" "pp"')
    project.write(renamed.replace("aws_iam_policy.p.arn", "aws_iam_policy.pp.arn") + LATER)
    keep(project, MOVED)


if __name__ == "__main__":
    with Aws() as aws, tempfile.TemporaryDirectory() as place:
        record(aws, Path(place))
