locals {
  alerts = {
    cpu    = { type = "v1/insights/droplet/cpu", value = var.thresholds.cpu, what = "CPU", unit = " %" }
    memory = { type = "v1/insights/droplet/memory_utilization_percent", value = var.thresholds.memory, what = "memory", unit = " %" }
    disk   = { type = "v1/insights/droplet/disk_utilization_percent", value = var.thresholds.disk, what = "disk", unit = " %" }
    load   = { type = "v1/insights/droplet/load_5", value = var.thresholds.load, what = "load", unit = "" }
  }

  # Whether there is a webhook is no secret, only the webhook is. An empty one is none: a job
  # of CI sets TF_VAR_slack_webhook_url also where it was given no secret.
  has_webhook = nonsensitive(var.slack_webhook_url != null && var.slack_webhook_url != "")
  has_slack   = var.slack_channel != null && local.has_webhook
}

resource "digitalocean_monitor_alert" "droplet" {
  for_each = local.alerts

  description = "${var.name}: ${each.value.what} over ${each.value.value}${each.value.unit} for 5 minutes"
  type        = each.value.type
  compare     = "GreaterThan"
  value       = each.value.value
  window      = "5m"
  tags        = [var.droplet_tag]
  enabled     = true

  alerts {
    email = sort(var.emails)

    dynamic "slack" {
      for_each = local.has_slack ? [var.slack_channel] : []

      content {
        channel = slack.value
        url     = var.slack_webhook_url
      }
    }
  }

  lifecycle {
    # Not a validation of the variable: Terraform would show the line of the file it came from.
    precondition {
      condition     = startswith(coalesce(var.slack_webhook_url, "https://hooks.slack.com/"), "https://hooks.slack.com/")
      error_message = "slack_webhook_url is no incoming webhook: it begins with https://hooks.slack.com/."
    }
    precondition {
      condition     = length(var.emails) > 0 || local.has_slack
      error_message = "Alerts reach nobody: name emails, or slack_channel and slack_webhook_url."
    }
    precondition {
      condition     = (var.slack_channel != null) == local.has_webhook
      error_message = "Slack needs both slack_channel and slack_webhook_url, or neither."
    }
  }
}
