# Uses only what is built into terraform and tofu: needs no provider to download, no network and no account.
terraform {
  required_version = ">= 1.4"
}

variable "size" {
  description = "How many things there are: change it and apply again."
  type        = number
  default     = 3
}

resource "terraform_data" "thing" {
  count = var.size
  input = "thing number ${count.index}"
}

output "things" {
  value = terraform_data.thing[*].output
}
