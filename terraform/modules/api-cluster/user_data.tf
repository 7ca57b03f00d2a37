locals {
  first_boot = "/usr/local/sbin/restoops-first-boot"

  deploy_user = {
    name                = "deploy"
    uid                 = 1001
    groups              = ["docker"]
    shell               = "/bin/bash"
    lock_passwd         = true
    ssh_authorized_keys = [for key in data.digitalocean_ssh_key.admin : trimspace(key.public_key)]
    # Who is in the group docker can become root in any case; Ansible needs it by name.
    sudo = "ALL=(ALL) NOPASSWD:ALL"
  }

  # Path on the droplet => mode and content.
  files = {
    (local.first_boot) = {
      mode = "0755", content = file("${path.module}/files/first-boot.sh")
    }
    "/etc/docker/daemon.json" = {
      mode = "0644", content = file("${path.module}/files/daemon.json")
    }
    "/etc/ssh/sshd_config.d/10-restoops.conf" = {
      mode = "0644", content = file("${path.module}/files/sshd.conf")
    }
    "/etc/apt/apt.conf.d/52restoops" = {
      mode = "0644", content = file("${path.module}/files/apt.conf")
    }
    "/etc/systemd/system/restoops-metadata.service" = {
      mode = "0644", content = file("${path.module}/files/metadata.service")
    }
  }

  # An automount: the volume is attached only after the first boot has begun.
  mounts = {
    for droplet, it in var.droplets : droplet => merge([
      for key in keys(it.volumes) : {
        "/etc/systemd/system/mnt-${key}.mount" = {
          mode    = "0644"
          content = templatefile("${path.module}/files/volume.mount", { key = key, volume = "${var.name}-${droplet}-${key}" })
        }
        "/etc/systemd/system/mnt-${key}.automount" = {
          mode = "0644", content = templatefile("${path.module}/files/volume.automount", { key = key })
        }
      }
    ]...)
  }

  cloud_config = {
    for droplet, it in var.droplets : droplet => merge(
      {
        disable_root    = true
        ssh_pwauth      = false
        users           = [local.deploy_user]
        package_update  = true
        package_upgrade = true
        packages        = ["docker.io", "docker-buildx", "docker-compose-v2", "ufw", "curl", "ca-certificates"]
        write_files = [
          for path, file in merge(local.files, local.mounts[droplet]) :
          { path = path, permissions = file.mode, content = file.content }
        ]
        runcmd = [concat(
          [local.first_boot, tostring(var.api_port), var.vpc.ip_range, var.monitoring ? "monitoring" : "no-monitoring"],
          sort(keys(it.volumes)),
        )]
      },
      # With a key given, the droplet makes none: this is all it can show.
      contains(local.pinned, droplet) ? {
        ssh_keys = {
          ed25519_private = local.host_keys[droplet].private
          ed25519_public  = local.host_keys[droplet].public
        }
      } : {},
    )
  }

  # Which droplets have a key is no secret.
  pinned = nonsensitive(keys(var.host_keys))

  host_keys = {
    for droplet in keys(var.droplets) : droplet => {
      private = try(var.host_keys[droplet].private, "")
      public  = trimspace(try(var.host_keys[droplet].public, ""))
    }
  }

  user_data = {
    for droplet, config in local.cloud_config : droplet => (
      var.extra_user_data == "" ? "#cloud-config\n${yamlencode(config)}" :
      templatefile("${path.module}/files/parts.txt", {
        config = "#cloud-config\n${yamlencode(config)}", extra = var.extra_user_data
      })
    )
  }
}
