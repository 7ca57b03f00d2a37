locals {
  entries = var.certificate_name == null ? { http = 80 } : { http = 80, https = 443 }
}

# No sticky sessions: a droplet is taken out and put back with each deploy.
resource "digitalocean_loadbalancer" "main" {
  name        = var.name
  region      = var.region
  vpc_uuid    = var.vpc_id
  droplet_tag = var.droplet_tag
  size_unit   = var.size_unit

  redirect_http_to_https = coalesce(var.redirect_http_to_https, var.certificate_name != null)
  enable_proxy_protocol  = var.enable_proxy_protocol

  dynamic "forwarding_rule" {
    for_each = local.entries

    content {
      entry_protocol   = forwarding_rule.key
      entry_port       = forwarding_rule.value
      target_protocol  = "http"
      target_port      = var.api_port
      certificate_name = forwarding_rule.key == "https" ? var.certificate_name : null
    }
  }

  healthcheck {
    protocol                 = "http"
    port                     = var.api_port
    path                     = var.health_check_path
    check_interval_seconds   = 10
    response_timeout_seconds = 5
    unhealthy_threshold      = 3
    healthy_threshold        = 2
  }

  lifecycle {
    precondition {
      condition     = var.certificate_name != null || !coalesce(var.redirect_http_to_https, false)
      error_message = "A redirect to HTTPS needs a certificate: set certificate_name, or leave redirect_http_to_https out."
    }
  }
}
