locals {
  environment = "staging"
  name        = "${var.project}-${local.environment}"
}

module "networking" {
  source = "../../modules/networking"

  name            = local.name
  region          = var.region
  ip_range        = "10.20.0.0/16"
  admin_addresses = var.admin_addresses
  api_port        = var.api_port

  load_balancer_ids = [module.load_balancer.id]
}

module "api_cluster" {
  source = "../../modules/api-cluster"

  name            = local.name
  region          = var.region
  vpc             = { id = module.networking.vpc_id, ip_range = module.networking.ip_range }
  droplets        = var.droplets
  ssh_key_names   = var.ssh_key_names
  host_keys       = var.host_keys
  tags            = [module.networking.api_tag]
  api_port        = var.api_port
  extra_user_data = var.extra_user_data
}

module "database" {
  source = "../../modules/database"

  name              = "${local.name}-database"
  region            = var.region
  vpc_id            = module.networking.vpc_id
  engine_version    = var.database.version
  size              = var.database.size
  node_count        = var.database.node_count
  trusted_tags      = [module.networking.api_tag]
  trusted_addresses = var.database.trusted_addresses
  pool              = { size = var.database.pool_size, mode = var.database.pool_mode }
  replica           = var.database.replica
}

module "cache" {
  source = "../../modules/redis"

  name            = "${local.name}-cache"
  region          = var.region
  vpc_id          = module.networking.vpc_id
  size            = var.cache.size
  node_count      = var.cache.node_count
  eviction_policy = var.cache.eviction_policy
  trusted_tags    = [module.networking.api_tag]
}

module "load_balancer" {
  source = "../../modules/load-balancer"

  name             = local.name
  region           = var.region
  vpc_id           = module.networking.vpc_id
  droplet_tag      = module.networking.api_tag
  api_port         = var.api_port
  certificate_name = var.certificate_name
}

module "monitoring" {
  source = "../../modules/monitoring"

  name              = local.name
  droplet_tag       = module.networking.api_tag
  emails            = var.alert_emails
  slack_channel     = var.slack_channel
  slack_webhook_url = var.slack_webhook_url
}
