mock_provider "digitalocean" {}

variables {
  name         = "shop-dev-cache"
  region       = "fra1"
  vpc_id       = "vpc"
  trusted_tags = ["shop-dev-api"]
}

run "a_cache_by_default" {
  assert {
    condition     = digitalocean_database_cluster.main.engine == "valkey" && digitalocean_database_cluster.main.version == "8"
    error_message = "It should be Valkey 8."
  }

  assert {
    condition     = digitalocean_database_cluster.main.eviction_policy == "allkeys_lru"
    error_message = "What was used least recently should go first, as the API writes it."
  }

  assert {
    condition     = startswith(output.url, "rediss://")
    error_message = "The connection string should require TLS."
  }
}

run "everything_that_is_optional" {
  command = plan

  variables {
    size               = "db-s-1vcpu-2gb"
    node_count         = 2
    eviction_policy    = "volatile-ttl"
    trusted_addresses  = ["198.51.100.7"]
    maintenance_window = { day = "tuesday", hour = "02:30:00" }
  }

  assert {
    condition     = digitalocean_database_cluster.main.node_count == 2 && digitalocean_database_cluster.main.eviction_policy == "volatile_ttl"
    error_message = "It should have a standby node and the policy that was asked for."
  }

  assert {
    condition = [
      for it in digitalocean_database_cluster.main.maintenance_window : [it.day, it.hour]
    ] == [["tuesday", "02:30:00"]]
    error_message = "The cluster should be updated when it was asked to be."
  }

  assert {
    condition = { for rule in digitalocean_database_firewall.main.rule : rule.type => rule.value } == {
      tag = "shop-dev-api", ip_addr = "198.51.100.7"
    }
    error_message = "The firewall should trust tag and address."
  }
}

run "bad_values_are_refused" {
  command = plan

  variables {
    region             = "Frankfurt"
    name               = "Cache"
    engine_version     = "7"
    size               = "s-1vcpu-1gb"
    node_count         = 0
    eviction_policy    = "lru"
    trusted_addresses  = ["0.0.0.0/0"]
    maintenance_window = { hour = "noon" }
  }

  expect_failures = [
    var.name, var.region, var.engine_version, var.size, var.node_count, var.eviction_policy, var.trusted_addresses,
    var.maintenance_window,
  ]
}

run "a_cache_that_is_open_to_the_world_is_refused" {
  command = plan

  variables {
    trusted_tags = []
  }

  expect_failures = [digitalocean_database_cluster.main]
}

run "standby_nodes_on_the_smallest_size_are_refused" {
  command = plan

  variables {
    node_count = 2
  }

  expect_failures = [digitalocean_database_cluster.main]
}
