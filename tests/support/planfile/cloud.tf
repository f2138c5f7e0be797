# Most of what a provider's schema can hold: sets, nested blocks, numbers, JSON, secrets, for_each.
variable "n" { default = 1 }
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
data "aws_caller_identity" "me" {}
data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["s3:*", "sqs:Send${var.n}"]
    resources = ["*"]
  }
}
resource "aws_iam_role" "r" {
  for_each           = toset(["a", "b", "c\"q"])
  name               = "role-${replace(each.key, "\"", "")}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
  tags               = { v = tostring(var.n) }
}
resource "aws_iam_policy" "p" {
  name   = "pol"
  policy = data.aws_iam_policy_document.d.json
}
resource "aws_iam_role_policy_attachment" "at" {
  for_each   = aws_iam_role.r
  role       = each.value.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_vpc" "v" {
  cidr_block = "10.${var.n}.0.0/16"
  tags       = { Name = "v" }
}
resource "aws_subnet" "s" {
  count      = 3
  vpc_id     = aws_vpc.v.id
  cidr_block = cidrsubnet(aws_vpc.v.cidr_block, 8, count.index)
}
resource "aws_security_group" "g" {
  name   = "g"
  vpc_id = aws_vpc.v.id
  dynamic "ingress" {
    for_each = range(var.n + 1)
    content {
      from_port   = 80 + ingress.value
      to_port     = 80 + ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0", "10.0.0.0/8"]
    }
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_sns_topic" "t" {
  name         = "top"
  display_name = var.n > 1 ? "x" : null
}
resource "aws_cloudwatch_log_group" "l" {
  name              = "/l/${var.n > 2 ? "new" : "old"}"
  retention_in_days = 7
  lifecycle { create_before_destroy = true }
}
resource "aws_dynamodb_table" "d" {
  name           = "tab"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5 + var.n
  write_capacity = 5
  hash_key       = "k"
  attribute {
    name = "k"
    type = "S"
  }
  attribute {
    name = "g"
    type = "N"
  }
  global_secondary_index {
    name            = "gi"
    hash_key        = "g"
    read_capacity   = 1
    write_capacity  = 1
    projection_type = "ALL"
  }
  ttl {
    attribute_name = "t"
    enabled        = true
  }
}
resource "aws_s3_bucket" "b" {
  bucket = "bkt"
  tags   = var.n > 1 ? { a = "b" } : {}
}
resource "aws_s3_bucket_versioning" "b" {
  bucket = aws_s3_bucket.b.id
  versioning_configuration { status = var.n > 1 ? "Suspended" : "Enabled" }
}
resource "aws_ssm_parameter" "x" {
  for_each = { one = "1", two = var.secret }
  name     = "/p/${each.key}"
  type     = "SecureString"
  value    = "${each.value}${var.n}"
}
resource "aws_kms_key" "k" {
  description             = "k${var.n}"
  deletion_window_in_days = 7
}
resource "aws_ecr_repository" "e" {
  name = "e"
  image_scanning_configuration { scan_on_push = var.n % 2 == 0 }
}
resource "aws_secretsmanager_secret" "s" { name = "sec" }
resource "aws_secretsmanager_secret_version" "s" {
  secret_id     = aws_secretsmanager_secret.s.id
  secret_string = jsonencode({ a = var.secret, n = var.n })
}
resource "aws_cloudwatch_metric_alarm" "al" {
  alarm_name          = "al"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 2
  threshold           = 0.1 * var.n
  metric_name         = "m"
  namespace           = "n"
  period              = 60
  statistic           = "Sum"
}
resource "aws_sqs_queue" "q" {
  count = 0
  name  = "q"
}
output "o" { value = aws_dynamodb_table.d }
output "s" {
  value     = var.secret
  sensitive = true
}
output "u" { value = aws_kms_key.k.arn }
output "id" { value = data.aws_caller_identity.me.account_id }
