"""Plans of a provider with a schema, drift among them, kept beside the random ones.

Made anew by `python tests/planfile/cloud.py` (five minutes: the AWS provider on moto).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))

from planfile import recorded
from planfile.workshop import Made
from rig.aws import Aws
from rig.engines import terraform

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


class Project:
    """A directory in which the configuration is planned and applied."""

    def __init__(self, aws: Aws, place: Path) -> None:
        self.place, self._aws = place, aws
        self._env = aws.environment(place / "home", terraform())
        self.write(CONFIGURATION.read_text())
        self.do("init")

    def write(self, text: str) -> None:
        (self.place / "main.tf").write_text(self._aws.provider + text)

    def do(self, *words: str) -> bytes:
        command = [str(terraform()), *words]
        done = subprocess.run(
            command, cwd=self.place, env=self._env, capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stderr.decode()}")
        return done.stdout

    def record(self, plans: dict[str, tuple[str, ...]]) -> None:
        for name, flags in plans.items():
            self.do("plan", "-input=false", "-out=p", *flags)
            made = Made(self.place / "p", self.do("show", "-json", "p"))
            sys.stderr.write(f"{recorded.keep(made, TOOL, f'aws-{name}')}\n")


def drift(aws: Aws) -> None:
    """Changes things behind terraform's back: a map, a set of objects, numbers; one is gone."""
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
    """Everything from nothing: created, drifted, moved."""
    project = Project(aws, place)
    project.record(BEFORE)
    project.do("apply", "-auto-approve")
    drift(aws)
    project.record(DRIFTED)
    text = CONFIGURATION.read_text()
    renamed = text.replace('"aws_iam_policy" "p"', '"aws_iam_policy" "pp"')
    project.write(renamed.replace("aws_iam_policy.p.arn", "aws_iam_policy.pp.arn") + LATER)
    project.record(MOVED)


if __name__ == "__main__":
    with Aws() as aws, tempfile.TemporaryDirectory() as place:
        record(aws, Path(place))
