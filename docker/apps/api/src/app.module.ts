import { type DynamicModule, Module } from '@nestjs/common';

import { Cache } from './cache.js';
import { CONFIG, type Config } from './config.js';
import { Database } from './database.js';
import { HealthController } from './health/health.controller.js';
import { HealthService } from './health/health.service.js';
import { VisitsController } from './visits/visits.controller.js';

@Module({})
export class AppModule {
  static with(config: Config): DynamicModule {
    return {
      module: AppModule,
      controllers: [HealthController, VisitsController],
      providers: [{ provide: CONFIG, useValue: config }, Database, Cache, HealthService],
    };
  }
}
