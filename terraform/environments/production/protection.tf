# What would lose data is refused while this file is here: `terraform destroy`, and any change that
# makes a new database, cache, volume, reserved IP or load balancer (whose address DNS has) in place
# of the old one. A resource within a module cannot say so for one environment only, so these guards
# do: they would have to be replaced together with what they watch. The README says how to lose data
# on purpose.

resource "terraform_data" "database" {
  triggers_replace = [module.database.id, module.database.database_id]

  lifecycle {
    prevent_destroy = true
  }
}

resource "terraform_data" "cache" {
  triggers_replace = [module.cache.id]

  lifecycle {
    prevent_destroy = true
  }
}

resource "terraform_data" "volume" {
  for_each = module.api_cluster.volume_ids

  triggers_replace = [each.value]

  lifecycle {
    prevent_destroy = true
  }
}

resource "terraform_data" "reserved_ip" {
  for_each = module.api_cluster.reserved_ips

  triggers_replace = [each.value]

  lifecycle {
    prevent_destroy = true
  }
}

resource "terraform_data" "load_balancer" {
  triggers_replace = [module.load_balancer.id]

  lifecycle {
    prevent_destroy = true
  }
}
