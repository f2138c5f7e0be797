# 1. Save this as root.hcl at the top of your live tree, or add its blocks to the root you have.
# 2. In each unit: include "root" { path = find_in_parent_folders("root.hcl") }
# 3. TG_TF_PATH=tf without these hooks tells more (README.md); with both, the hooks keep silent.

terraform {
  # The plan that is counted; a later -out of your own wins. Backend "remote": drop this block.
  extra_arguments "tfevents" {
    commands  = ["plan"]
    arguments = ["-out=${get_terragrunt_dir()}/.tfevents.tfplan"]
    env_vars  = { TF_IN_AUTOMATION = "1" }
  }

  # A plan holds secrets: it is written into a file that is its owner's alone, and that replaces one that
  # a killed run has left.
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

  # Reached only when terraform succeeded: without run_on_error. By which exit code, nobody says.
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

  # Our plan goes, whatever became of the run, and so does one that a killed run has left.
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
