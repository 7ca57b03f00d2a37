import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { reasonOf } from '@repo/health';

import { CONFIG, type Config } from './config.js';

/** PostgreSQL. Connects when it is first asked, so that the API starts without it. */
@Injectable()
export class Database implements OnApplicationShutdown {
  private readonly logger = new Logger(Database.name);
  private readonly pool: Pool;

  constructor(@Inject(CONFIG) config: Config) {
    const { timeoutMs } = config.health;
    this.pool = new Pool({
      connectionString: config.databaseUrl,
      max: 10,
      // A question that nobody waits for any more gives its connection up: none piles up.
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
    });
    // Without this an idle connection that the server ends would end the process.
    this.pool.on('error', (error) => {
      this.logger.warn(`lost an idle connection: ${reasonOf(error)}`);
    });
  }

  async ping(): Promise<void> {
    await this.pool.query('SELECT 1');
  }

  onApplicationShutdown(): void {
    // Not waited for: a database that hangs must not keep the process.
    void this.pool.end();
  }
}
