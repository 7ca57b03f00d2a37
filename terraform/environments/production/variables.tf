variable "project" {
  description = "What the names of all resources begin with: droplet `a` is `<project>-production-a`."
  type        = string
  default     = "restomarket"
}

variable "region" {
  description = "Region of everything, such as `fra1`. It cannot be changed later."
  type        = string
  default     = "fra1"
}

variable "ssh_key_names" {
  description = "Names of SSH keys in the DigitalOcean account whose owners may log in as `deploy`; `doctl compute ssh-key list` shows them."
  type        = set(string)
}

variable "admin_addresses" {
  description = "Addresses or ranges that may reach SSH: yours, and those of your CI. None by default: then nobody can."
  type        = set(string)
  default     = []
}

variable "host_keys" {
  description = "SSH host keys of droplets, by droplet key; `restoops infra host-keys production a` makes them, into `host_keys.auto.tfvars.json`."
  type = map(object({
    private = string
    public  = string
  }))
  default   = {}
  sensitive = true
}

variable "droplets" {
  description = "Droplets to run, 1 to 10, keyed by a short name that never changes. `volumes` are mounted at `/mnt/<key>`."
  type = map(object({
    size        = optional(string, "s-2vcpu-4gb")
    backups     = optional(bool, true)
    reserved_ip = optional(bool, false)
    volumes     = optional(map(object({ size_gb = number })), {})
  }))
  default = {
    a = {}
    b = {}
    c = {}
  }
}

variable "api_port" {
  description = "Port on which droplets answer requests: `proxy.port` of restoops.yaml."
  type        = number
  default     = 3001
}

variable "extra_user_data" {
  description = "What new droplets should do besides, at the end of their first boot: a shell script, or more cloud-config."
  type        = string
  default     = ""
}

variable "database" {
  description = "PostgreSQL: major version, size and number of nodes, addresses outside the VPC that may connect, connection pool, and a read replica in another region."
  type = object({
    version           = optional(string, "17")
    size              = optional(string, "db-s-2vcpu-4gb")
    node_count        = optional(number, 3)
    trusted_addresses = optional(set(string), [])
    pool_size         = optional(number, 25)
    pool_mode         = optional(string, "transaction")
    replica = optional(object({
      region = string
      size   = optional(string)
      vpc_id = optional(string)
    }))
  })
  default = {}
}

variable "cache" {
  description = "Valkey: size and number of nodes, and what goes when its memory is full."
  type = object({
    size            = optional(string, "db-s-1vcpu-2gb")
    node_count      = optional(number, 2)
    eviction_policy = optional(string, "allkeys-lru")
  })
  default = {}
}

variable "domain" {
  description = "Name that DNS has for this environment, such as `api.example.com`. Null: the address is used."
  type        = string
  default     = null
}

variable "certificate_name" {
  description = "Name of a certificate in the account, for HTTPS; `doctl compute certificate list` shows them. Null: HTTP only."
  type        = string
  default     = null
}

variable "alert_emails" {
  description = "Who gets alerts: addresses that are verified in the DigitalOcean account. Empty only where Slack gets them."
  type        = set(string)
}

variable "slack_channel" {
  description = "Slack channel that gets alerts, such as `#ops`; needs `slack_webhook_url`."
  type        = string
  default     = null
}

variable "slack_webhook_url" {
  description = "Incoming webhook of that channel: a secret, best given as TF_VAR_slack_webhook_url."
  type        = string
  default     = null
  sensitive   = true
}
