import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { reasonOf } from '@repo/health';

import { CONFIG, type Config } from './config.js';

const LONGEST_RETRY_MS = 1000;

/** Redis. Reconnects by itself for as long as it takes; meanwhile a command fails at once. */
@Injectable()
export class Cache implements OnApplicationShutdown {
  private readonly logger = new Logger(Cache.name);
  private readonly redis: Redis;
  private lastReason = '';

  constructor(@Inject(CONFIG) config: Config) {
    const { timeoutMs } = config.health;
    this.redis = new Redis(config.redisUrl, {
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(attempt * 100, LONGEST_RETRY_MS),
    });
    this.redis.on('error', (error) => {
      this.tell(reasonOf(error));
    });
    this.redis.on('ready', () => {
      this.lastReason = '';
      this.logger.log('connected');
    });
  }

  async ping(): Promise<void> {
    await this.redis.ping();
  }

  async increment(key: string): Promise<number> {
    return this.redis.incr(key);
  }

  async count(key: string): Promise<number> {
    return Number((await this.redis.get(key)) ?? 0);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }

  /** Tells what is wrong once, and not at each attempt to connect again. */
  private tell(reason: string): void {
    if (reason !== this.lastReason) this.logger.warn(`not connected: ${reason}`);
    this.lastReason = reason;
  }
}
