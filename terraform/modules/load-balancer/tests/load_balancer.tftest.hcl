mock_provider "digitalocean" {}

variables {
  name        = "shop-staging"
  region      = "fra1"
  vpc_id      = "vpc"
  droplet_tag = "shop-staging-api"
}

run "http_without_a_certificate" {
  command = plan

  assert {
    condition     = [for rule in digitalocean_loadbalancer.main.forwarding_rule : [rule.entry_protocol, rule.entry_port, rule.target_port]] == [["http", 80, 3001]]
    error_message = "It should forward HTTP to the API port."
  }

  assert {
    condition     = !digitalocean_loadbalancer.main.redirect_http_to_https && !digitalocean_loadbalancer.main.enable_proxy_protocol
    error_message = "It should neither redirect nor send the PROXY protocol."
  }

  assert {
    condition     = length(digitalocean_loadbalancer.main.sticky_sessions) == 0
    error_message = "Sessions should not stick to a droplet."
  }

  assert {
    condition     = digitalocean_loadbalancer.main.healthcheck[0].path == "/health" && digitalocean_loadbalancer.main.healthcheck[0].check_interval_seconds == 10
    error_message = "It should ask /health every 10 seconds."
  }
}

run "https_with_a_certificate" {
  variables {
    certificate_name      = "shop"
    enable_proxy_protocol = true
  }

  assert {
    condition = contains([
      for rule in digitalocean_loadbalancer.main.forwarding_rule : join(" ", [rule.entry_protocol, rule.entry_port, rule.target_protocol]) if rule.certificate_name == "shop"
    ], "https 443 http")
    error_message = "It should end TLS with the certificate."
  }

  assert {
    condition     = digitalocean_loadbalancer.main.redirect_http_to_https && digitalocean_loadbalancer.main.enable_proxy_protocol
    error_message = "It should redirect, and send the PROXY protocol."
  }
}

run "a_certificate_does_not_force_the_redirect" {
  command = plan

  variables {
    certificate_name       = "shop"
    redirect_http_to_https = false
  }

  assert {
    condition     = !digitalocean_loadbalancer.main.redirect_http_to_https
    error_message = "The redirect should be off."
  }
}

run "bad_values_are_refused" {
  command = plan

  variables {
    region            = "Frankfurt"
    name              = "-"
    droplet_tag       = "no tag"
    api_port          = 70000
    certificate_name  = ""
    health_check_path = "health"
    size_unit         = 0
  }

  expect_failures = [
    var.name, var.region, var.droplet_tag, var.api_port, var.certificate_name, var.health_check_path, var.size_unit,
  ]
}

run "a_redirect_without_a_certificate_is_refused" {
  command = plan

  variables {
    redirect_http_to_https = true
  }

  expect_failures = [digitalocean_loadbalancer.main]
}
