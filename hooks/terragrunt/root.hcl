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

  before_hook "tfevents" {
    commands = ["plan", "apply", "destroy", "refresh", "import"]
    execute  = ["tfevents", "hook", "before", get_terraform_command(), "--directory", get_terragrunt_dir()]
  }

  # Reached only when terraform succeeded: without run_on_error the exit code is known.
  after_hook "tfevents_plan" {
    commands = ["plan"]
    execute = [
      "tfevents", "hook", "after", "plan", "--exit-code", "0", "--directory", get_terragrunt_dir(),
      "--plan-file", "${get_terragrunt_dir()}/.tfevents.tfplan",
    ]
  }

  after_hook "tfevents" {
    commands = ["apply", "destroy", "refresh", "import"]
    execute  = ["tfevents", "hook", "after", get_terraform_command(), "--exit-code", "0", "--directory", get_terragrunt_dir()]
  }

  # A plan holds secrets: it goes, whatever became of the run.
  after_hook "tfevents_clean" {
    commands     = ["plan"]
    execute      = ["rm", "-f", "${get_terragrunt_dir()}/.tfevents.tfplan"]
    run_on_error = true
  }

  error_hook "tfevents" {
    commands  = ["plan", "apply", "destroy", "refresh", "import"]
    execute   = ["tfevents", "hook", "error", get_terraform_command(), "--directory", get_terragrunt_dir()]
    on_errors = [".*"]
  }
}
