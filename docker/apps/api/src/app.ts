import type { Server } from 'node:http';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';

import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { Draining } from './draining.js';

/** Longer than proxies keep idle connections (60 s): they should be the ones to close them. */
const KEEP_ALIVE_MS = 65_000;

/** The API, as it listens and as it ends. */
export class Api {
  private readonly logger = new Logger(Api.name);
  private readonly server: Server;
  private readonly draining: Draining;

  private constructor(
    private readonly app: NestExpressApplication,
    private readonly config: Config,
  ) {
    this.server = app.getHttpServer();
    this.server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.draining = new Draining(this.server);
  }

  static async create(config: Config): Promise<Api> {
    const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config), {
      logger: new ConsoleLogger({ json: process.env['NODE_ENV'] === 'production' }),
    });
    app.disable('x-powered-by');
    app.use((_request: Request, response: Response, next: NextFunction) => {
      response.setHeader('X-Release', config.release.sha);
      next();
    });
    return new Api(app, config);
  }

  /** Listens, and returns the port. */
  async listen(): Promise<number> {
    await this.app.listen(this.config.port);
    const address = this.server.address();
    const port = typeof address === 'object' && address ? address.port : this.config.port;
    this.logger.log(`release ${this.config.release.sha} listens on port ${String(port)}`);
    return port;
  }

  /** Finishes what is in flight, then ends; what takes longer than `shutdownMs` is cut off. */
  async end(): Promise<void> {
    this.logger.log(`ending, with ${String(this.draining.inFlight)} requests in flight`);
    this.draining.begin();
    const deadline = setTimeout(() => {
      this.logger.warn(`cut off ${String(this.draining.inFlight)} requests`);
      this.server.closeAllConnections();
    }, this.config.shutdownMs);
    await this.app.close();
    clearTimeout(deadline);
    this.logger.log('ended');
  }
}
