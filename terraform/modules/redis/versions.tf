terraform {
  required_version = ">= 1.6, < 2.0"

  required_providers {
    digitalocean = {
      source = "digitalocean/digitalocean"
      # 2.53: the first that takes an eviction policy for Valkey.
      version = ">= 2.53, < 3.0"
    }
  }
}
