import { Inject, Injectable } from '@nestjs/common';
import { Check, type ServiceHealth } from '@repo/health';

import { Cache } from '../cache.js';
import { CONFIG, type Config, type Release } from '../config.js';
import { Database } from '../database.js';

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  readonly timestamp: string;
  /** Seconds since the process was started. */
  readonly uptime: number;
  readonly services: { readonly database: ServiceHealth; readonly redis: ServiceHealth };
  /** Bytes. */
  readonly memory: Readonly<Record<'rss' | 'heap_used' | 'heap_total' | 'external', number>>;
  /** Microseconds of processor time since the start. */
  readonly cpu: { readonly user: number; readonly system: number };
  readonly release: Release;
}

export interface Pingable {
  ping(): Promise<void>;
}

@Injectable()
export class HealthService {
  private readonly database: Check;
  private readonly redis: Check;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Database) database: Pingable,
    @Inject(Cache) cache: Pingable,
  ) {
    this.database = new Check(() => database.ping(), config.health);
    this.redis = new Check(() => cache.ping(), config.health);
  }

  async report(): Promise<HealthReport> {
    const [database, redis] = await Promise.all([this.database.read(), this.redis.read()]);
    const isReady = [database, redis].every((service) => service.status === 'connected');
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return {
      status: isReady ? 'ok' : 'unavailable',
      timestamp: new Date().toISOString(),
      uptime: Math.round(process.uptime() * 1000) / 1000,
      services: { database, redis },
      memory: { rss, heap_used: heapUsed, heap_total: heapTotal, external },
      cpu: process.cpuUsage(),
      release: this.config.release,
    };
  }
}
