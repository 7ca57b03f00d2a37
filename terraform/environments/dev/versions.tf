terraform {
  # 1.6.3: the first that can talk to Spaces as a backend (skip_s3_checksum).
  required_version = ">= 1.6.3, < 2.0"

  required_providers {
    digitalocean = {
      source = "digitalocean/digitalocean"
      # 2.53: the first that takes an eviction policy for Valkey.
      version = ">= 2.53, < 3.0"
    }
  }
}

# Its token is read from DIGITALOCEAN_TOKEN. As a variable it would stand in saved plans.
provider "digitalocean" {}
