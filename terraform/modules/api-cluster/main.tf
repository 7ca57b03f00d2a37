data "digitalocean_ssh_key" "admin" {
  for_each = var.ssh_key_names

  name = each.key
}

resource "digitalocean_tag" "cluster" {
  name = var.name
}

resource "digitalocean_droplet" "api" {
  for_each = var.droplets

  name              = "${var.name}-${each.key}"
  region            = var.region
  size              = each.value.size
  image             = var.image
  vpc_uuid          = var.vpc.id
  ssh_keys          = [for key in data.digitalocean_ssh_key.admin : tostring(key.id)]
  tags              = setunion(var.tags, [digitalocean_tag.cluster.name])
  backups           = each.value.backups
  monitoring        = var.monitoring
  ipv6              = var.ipv6
  graceful_shutdown = true
  user_data         = local.user_data[each.key]

  lifecycle {
    # A change of any of these replaces a droplet, and would replace all of them at once. Droplets
    # that exist are kept up to date by Ansible; to take what is new here, replace one at a time:
    # terraform apply -replace='module.api_cluster.digitalocean_droplet.api["a"]'
    ignore_changes = [image, ssh_keys, user_data]

    # Not a validation of the variable: Terraform would show the line of the file it came from.
    precondition {
      condition     = can(regex("^(ssh-ed25519 AAAA[A-Za-z0-9+/=]+( .*)?)?$", local.host_keys[each.key].public))
      error_message = "The host key of droplet ${each.key} has no `public` of one line that begins with ssh-ed25519 AAAA: `restoops infra host-keys` makes the pairs."
    }

    precondition {
      condition     = can(regex("^(-----BEGIN OPENSSH PRIVATE KEY-----\n|$)", local.host_keys[each.key].private))
      error_message = "The host key of droplet ${each.key} has no `private` in OpenSSH's form: `restoops infra host-keys` makes the pairs."
    }

    precondition {
      condition     = length(local.user_data[each.key]) <= 64 * 1024
      error_message = "The user data of a droplet is more than the 64 KiB that DigitalOcean takes: shorten extra_user_data, or let it fetch what is large."
    }
  }
}

# What a droplet was born with: a host key that is given later does not reach it.
resource "terraform_data" "host_key" {
  for_each = var.droplets

  input            = contains(local.pinned, each.key) ? nonsensitive(local.host_keys[each.key].public) : null
  triggers_replace = [digitalocean_droplet.api[each.key].id]

  lifecycle {
    ignore_changes = [input]
  }
}
