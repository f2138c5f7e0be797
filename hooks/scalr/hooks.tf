# 1. Put this `hooks` block into your scalr_workspace, or enter its commands in the workspace's hooks.
# 2. tfevents must be in the runner image, or be installed by a pre-init hook.
# 3. TFEVENTS_API_KEY is a sensitive shell variable of the workspace.
resource "scalr_workspace" "example" {
  name           = "example"
  environment_id = "env-xxxxxxxxxx"

  hooks {
    pre_plan   = "tfevents hook before plan"
    post_plan  = "tfevents hook after plan"
    pre_apply  = "tfevents hook before apply"
    post_apply = "tfevents hook after apply"
  }
}
