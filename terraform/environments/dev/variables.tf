variable "project" {
  description = "What the names of all resources begin with: droplet `a` is `<project>-dev-a`."
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

variable "client_addresses" {
  description = "Addresses or ranges that may reach the API, which has no load balancer before it. None by default."
  type        = set(string)
  default     = []
}

variable "host_keys" {
  description = "SSH host keys of droplets, by droplet key; `restoops infra host-keys dev a` makes them, into `host_keys.auto.tfvars.json`."
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
    size        = optional(string, "s-1vcpu-1gb")
    backups     = optional(bool, false)
    reserved_ip = optional(bool, false)
    volumes     = optional(map(object({ size_gb = number })), {})
  }))
  default = {
    a = {}
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
  description = "PostgreSQL: major version, size and number of nodes, addresses outside the VPC that may connect."
  type = object({
    version           = optional(string, "17")
    size              = optional(string, "db-s-1vcpu-1gb")
    node_count        = optional(number, 1)
    trusted_addresses = optional(set(string), [])
  })
  default = {}
}

variable "cache" {
  description = "Valkey: size and number of nodes, and what goes when its memory is full."
  type = object({
    size            = optional(string, "db-s-1vcpu-1gb")
    node_count      = optional(number, 1)
    eviction_policy = optional(string, "allkeys-lru")
  })
  default = {}
}

variable "domain" {
  description = "Name that DNS has for this environment, such as `api.dev.example.com`. Null: the address is used."
  type        = string
  default     = null
}
