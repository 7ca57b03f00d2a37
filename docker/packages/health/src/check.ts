import { reasonOf } from './reason.js';

/** Puts the question to a service; any answer will do. */
export type Ask = () => Promise<unknown>;

export interface Limits {
  /** After this long without an answer the service counts as disconnected. */
  readonly timeoutMs: number;
  /** An answer is given again for this long, so that no number of probes can overload a service. */
  readonly cacheMs: number;
}

export interface ServiceHealth {
  readonly status: 'connected' | 'disconnected';
  readonly response_time_ms: number;
  readonly reason?: string;
}

/** Asks one service whether it is there: one question at a time, however many want to know. */
export class Check {
  private latest: Promise<ServiceHealth> | undefined;
  private freshUntilMs = 0;

  constructor(
    private readonly ask: Ask,
    private readonly limits: Limits,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Never rejects: a service that cannot be asked is disconnected. */
  read(): Promise<ServiceHealth> {
    if (this.latest === undefined || this.nowMs() >= this.freshUntilMs) {
      this.freshUntilMs = Infinity;
      this.latest = this.measure().finally(() => {
        this.freshUntilMs = this.nowMs() + this.limits.cacheMs;
      });
    }
    return this.latest;
  }

  private async measure(): Promise<ServiceHealth> {
    const beganMs = this.nowMs();
    const tookMs = () => Math.round((this.nowMs() - beganMs) * 10) / 10;
    try {
      await within(this.limits.timeoutMs, this.ask);
      return { status: 'connected', response_time_ms: tookMs() };
    } catch (error) {
      return { status: 'disconnected', response_time_ms: tookMs(), reason: reasonOf(error) };
    }
  }
}

async function within(timeoutMs: number, ask: Ask): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('timed out'));
    }, timeoutMs);
  });
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
}
