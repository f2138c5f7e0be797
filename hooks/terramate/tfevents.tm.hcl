# 1. Save this in the project's root and enable terramate.config.experiments = ["scripts"].
# 2. terramate script run preview, terramate script run deploy: `tf` reports the run of each stack.
# 3. Use the "hooked" scripts only where terraform must be the command itself; never use both.

script "preview" {
  description = "Plan each stack; tf reports the run"
  job {
    commands = [
      ["terraform", "init", "-input=false"],
      ["tf", "plan", "-input=false", "-out=run.tfplan"],
    ]
  }
}

script "deploy" {
  description = "Apply what preview has planned; tf reports the run"
  job {
    commands = [
      ["tf", "apply", "-input=false", "run.tfplan"],
    ]
  }
}

script "hooked" "preview" {
  description = "Plan each stack with hooks around terraform"
  job {
    commands = [
      ["terraform", "init", "-input=false"],
      ["sh", "-c", <<-EOT
        tfevents hook before plan
        env -u TFEVENTS_API_KEY terraform plan -input=false -out=run.tfplan
        code=$?
        tfevents hook after plan --exit-code "$code" --plan-file run.tfplan
        exit "$code"
      EOT
      ],
    ]
  }
}

script "hooked" "deploy" {
  description = "Apply what preview has planned, with hooks around terraform"
  job {
    commands = [
      ["sh", "-c", <<-EOT
        tfevents hook before apply --plan-file run.tfplan
        env -u TFEVENTS_API_KEY terraform apply -input=false run.tfplan
        code=$?
        tfevents hook after apply --exit-code "$code" --plan-file run.tfplan
        exit "$code"
      EOT
      ],
    ]
  }
}
