import { Controller, Get, Post, ServiceUnavailableException } from '@nestjs/common';

import { Cache } from '../cache.js';

const KEY = 'visits';

export interface Visits {
  readonly visits: number;
}

/** What the API is there for: it counts. Needs Redis, and no database. */
@Controller('visits')
export class VisitsController {
  constructor(private readonly cache: Cache) {}

  @Get()
  read(): Promise<Visits> {
    return this.answer(() => this.cache.count(KEY));
  }

  @Post()
  add(): Promise<Visits> {
    return this.answer(() => this.cache.increment(KEY));
  }

  private async answer(ask: () => Promise<number>): Promise<Visits> {
    try {
      return { visits: await ask() };
    } catch (cause) {
      throw new ServiceUnavailableException('the counter cannot be reached', { cause });
    }
  }
}
