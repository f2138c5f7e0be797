# 1. Save this as root.hcl at the top of your live tree, or add its blocks to your own root.hcl.
# 2. In each unit: include "root" { path = find_in_parent_folders("root.hcl") }
# 3. TG_TF_PATH=tf without these hooks reports more (README.md); with both, the hooks do nothing.

terraform {
  # Saves the plan for its counts; a later -out of yours wins. For backend "remote" remove this block.
  extra_arguments "tfevents" {
    commands  = ["plan"]
    arguments = ["-out=${get_terragrunt_dir()}/.tfevents.tfplan"]
    env_vars  = { TF_IN_AUTOMATION = "1" }
  }

  # A plan contains secrets: this creates its file readable by the owner only, and replaces one that a
  # killed run has left.
  before_hook "tfevents_plan_file" {
    commands = ["plan"]
    execute  = ["install", "-m", "600", "/dev/null", "${get_terragrunt_dir()}/.tfevents.tfplan"]
  }

  before_hook "tfevents" {
    commands = ["plan", "apply", "destroy", "refresh", "import"]
    execute = concat(
      ["tfevents", "hook", "before", "--directory", get_terragrunt_dir(), "--"], get_terraform_cli_args()
    )
  }

  # Without run_on_error this runs only if terraform succeeded; Terragrunt gives no exit code.
  after_hook "tfevents_plan" {
    commands = ["plan"]
    execute = concat(
      ["tfevents", "hook", "after", "--exit-code", "success", "--directory", get_terragrunt_dir()],
      ["--plan-file", "${get_terragrunt_dir()}/.tfevents.tfplan", "--"], get_terraform_cli_args()
    )
  }

  after_hook "tfevents" {
    commands = ["apply", "destroy", "refresh", "import"]
    execute = concat(
      ["tfevents", "hook", "after", "--exit-code", "success", "--directory", get_terragrunt_dir(), "--"],
      get_terraform_cli_args()
    )
  }

  # Removes our plan file whether or not the run succeeded, and one that a killed run has left.
  after_hook "tfevents_clean" {
    commands     = ["plan", "apply", "destroy", "refresh", "import"]
    execute      = ["rm", "-f", "${get_terragrunt_dir()}/.tfevents.tfplan"]
    run_on_error = true
  }

  error_hook "tfevents" {
    commands = ["plan", "apply", "destroy", "refresh", "import"]
    execute = concat(
      ["tfevents", "hook", "error", "--directory", get_terragrunt_dir(), "--"], get_terraform_cli_args()
    )
    on_errors = [".*"]
  }
}
