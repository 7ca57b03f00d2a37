mock_provider "digitalocean" {}

variables {
  name        = "shop-staging"
  droplet_tag = "shop-staging-api"
  emails      = ["ops@example.com"]
}

run "alerts_by_default" {
  command = plan

  assert {
    condition = { for key, alert in digitalocean_monitor_alert.droplet : key => alert.value } == {
      cpu = 80, memory = 85, disk = 90, load = 3
    }
    error_message = "The thresholds should be 80, 85, 90 and 3."
  }

  assert {
    condition     = alltrue([for alert in digitalocean_monitor_alert.droplet : alert.window == "5m" && alert.compare == "GreaterThan"])
    error_message = "Each should be over 5 minutes."
  }

  assert {
    condition     = alltrue([for alert in digitalocean_monitor_alert.droplet : length(alert.alerts[0].slack) == 0])
    error_message = "Slack was not asked for."
  }
}

run "alerts_to_slack" {
  command = plan

  variables {
    emails            = []
    slack_channel     = "#ops"
    slack_webhook_url = "https://hooks.slack.com/services/T/B/x"
    thresholds        = { cpu = 60 }
  }

  assert {
    condition     = alltrue([for alert in digitalocean_monitor_alert.droplet : alert.alerts[0].slack[0].channel == "#ops"])
    error_message = "Slack should get them."
  }

  assert {
    condition     = digitalocean_monitor_alert.droplet["cpu"].value == 60 && digitalocean_monitor_alert.droplet["disk"].value == 90
    error_message = "One threshold should change, the others not."
  }
}

run "an_empty_webhook_is_none" {
  command = plan

  variables {
    slack_webhook_url = ""
  }

  assert {
    condition     = alltrue([for alert in digitalocean_monitor_alert.droplet : length(alert.alerts[0].slack) == 0])
    error_message = "Slack was not asked for."
  }
}

run "bad_values_are_refused" {
  command = plan

  variables {
    droplet_tag   = "no tag"
    emails        = ["ops"]
    slack_channel = "the channel"
    thresholds    = { cpu = 100 }
  }

  expect_failures = [
    var.droplet_tag, var.emails, var.slack_channel, var.thresholds,
  ]
}

run "alerts_for_nobody_are_refused" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [digitalocean_monitor_alert.droplet]
}

run "a_webhook_that_is_none_is_refused" {
  command = plan

  variables {
    slack_channel     = "#ops"
    slack_webhook_url = "https://example.com/"
  }

  expect_failures = [digitalocean_monitor_alert.droplet]
}
